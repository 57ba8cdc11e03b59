// The checkout one finds in most shops: express, one stock row, an UPDATE … WHERE stock > 0 and an INSERT in a
// transaction, a pool of 64 connections. Arguments: port, PostgreSQL URL.
import express from 'express';
import pg from 'pg';

const [port, url] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 64 });
const app = express();
app.use(express.json());
app.post('/checkout', async (request, response) => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const taken = await client.query('UPDATE stock SET available = available - 1 WHERE id = 1 AND available > 0');
    if (taken.rowCount !== 1) {
      await client.query('ROLLBACK');
      response.status(409).json({ error: 'sold out' });
      return;
    }
    const { token } = request.body as { token: string };
    await client.query('INSERT INTO orders (token, buyer) VALUES ($1, $2)', [token, request.header('x-buyer-id')]);
    await client.query('COMMIT');
    response.status(201).json({ order: token });
  } catch {
    await client.query('ROLLBACK').catch(() => undefined);
    response.status(500).json({ error: 'failed' });
  } finally {
    client.release();
  }
});
app.listen(Number(port), '127.0.0.1');
