-- The roles of one PostgreSQL server, least privilege each. Run by a superuser, once or again; needs no psql.
--
-- Passwords are not in this file: whoever runs it sets `flashsale.<user>_password` first (set_config, or PGOPTIONS
-- "-c flashsale.owner_password=…"); an unset one leaves the role's password as it is.
--
-- owner       owns databases, schema and functions; the shard agents' and the pool agent's own
-- storefront  may execute checkout, order, pay, cancel; reads no table
-- cache       may execute the fences, and read and raise epochs in the registry; reads no table
-- operator    may execute what writes the sale's wishes into the registry, and count what the merchant was not told yet;
--             reads no table
-- audit       may read every table, and change nothing
--
-- What each may execute is granted by the migrations, beside the functions.

DO $$
DECLARE
  name text;
  password text;
BEGIN
  FOREACH name IN ARRAY ARRAY['owner', 'storefront', 'cache', 'operator', 'audit'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'flashsale_' || name) THEN
      EXECUTE format('CREATE ROLE %I', 'flashsale_' || name);
    END IF;
    EXECUTE format(
      'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', 'flashsale_' || name);
    password := current_setting('flashsale.' || name || '_password', true);
    IF password <> '' THEN
      EXECUTE format('ALTER ROLE %I PASSWORD %L', 'flashsale_' || name, password);
    END IF;
  END LOOP;
END
$$;

-- A reader that forgets its transaction must not keep old row versions alive for ever.
ALTER ROLE flashsale_audit SET default_transaction_read_only = on;
ALTER ROLE flashsale_audit SET idle_in_transaction_session_timeout = '5min';
