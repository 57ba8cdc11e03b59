// What the system must do, row by row: the words of docs/requirements.md and the files in which each row lives. The
// tests that prove a row are not listed here; requirements-page.ts finds them by their names. Pure data.

export interface Requirement {
  /** R1 … R34. Tests carry it in their names. */
  id: string;
  /** One line of Markdown. "*Ours*" marks what the patents leave open and this project decided. */
  text: string;
  /** Files and folders from the root of the repository. */
  where: string[];
}

export interface Part {
  title: string;
  about: string;
  rows: Requirement[];
}

/** Rows that nothing does yet, and what stands instead. They have no test; a row leaves this list with its first one. */
export const NOT_BUILT: Record<string, string> = {
  R23: 'The benchmarks have a baseline of their own (one database row); the four of the patent are not selectable yet.',
  R24: 'The balancer moves whole units and knows no product, but only stock has a resource, an API and tests so far.',
};

const migration = (file: string) => `dataplane/stores/shard/sql/migrations/${file}.sql`;
const lua = (file: string) => `dataplane/stores/cache-node/lua/${file}.lua`;
const storefront = (file: string) => `dataplane/storefront/${file}.ts`;
const balancer = (file: string) => `operator/balancer/${file}.ts`;

export const PARTS: Part[] = [
  {
    title: 'Admission: virtual stock and tokens',
    about: 'From the first patent: a cache tier admits buyers before anything touches a database.',
    rows: [
      {
        id: 'R1',
        text: 'Before the sale the stock is split evenly over the cache nodes. Each node owns its *virtual stock*. Remainders are spread one unit at a time (*ours*).',
        where: [migration('008_supply'), lua('grant')],
      },
      {
        id: 'R2',
        text: 'Purchases are load-balanced over a cluster of application servers, the *storefronts*.',
        where: [storefront('server'), 'operator/manifests/storefront.ts'],
      },
      {
        id: 'R3',
        text: 'The storefront reads the request and checks that the buyer qualifies. The criteria are *ours*: sale window, limit per buyer, limit per purchase, allow and deny lists, rate limit, an external risk webhook.',
        where: ['qualification', 'rules', 'lists', 'rate', 'webhook'].map(storefront),
      },
      {
        id: 'R4',
        text: 'A purchase that qualifies takes virtual stock on the buyer’s *owner node* and yields a *token*, which that node keeps.',
        where: ['dataplane/protocol/owner-node.ts', storefront('purchase'), lua('reserve')],
      },
      {
        id: 'R5',
        text: 'A purchase that does not qualify takes nothing and yields no token.',
        where: [storefront('qualification'), lua('reserve')],
      },
      {
        id: 'R6',
        text: 'The buyer then checks out with the token. It is compared with the stored one; only when it passes is real stock taken in a database, and the purchase is a success.',
        where: ['dataplane/protocol/token.ts', storefront('checkout'), migration('004_checkout')],
      },
      {
        id: 'R7',
        text: 'Virtual stock and real stock are two ledgers that only the token links.',
        where: ['dataplane/stores/cache-node/cache-node.ts', 'dataplane/stores/shard/shard.ts'],
      },
    ],
  },
  {
    title: 'Sharded stock and balancing',
    about: 'From the second patent: databases that sell side by side, and a balancer driven by messages.',
    rows: [
      {
        id: 'R8',
        text: 'A hot resource is split over shards. A transaction draws its shard at random; business logic knows nothing of balancing, and no transaction asks how the stock is distributed.',
        where: [storefront('route'), storefront('distribution-view')],
      },
      {
        id: 'R9',
        text: 'Whatever changes a shard’s stock is a transaction with a signed delta: an order, a cancellation, a restock, a leg of a transfer.',
        where: [migration('001_shard'), migration('003_locking')],
      },
      {
        id: 'R10',
        text: 'A committed shard transaction always yields its message; a failed one never does.',
        where: [migration('001_shard'), migration('003_locking'), 'dataplane/shard-agent/report.ts'],
      },
      {
        id: 'R11',
        text: 'Messages go through a transactional queue per shard (the ledger, used as an outbox) to one event queue for all (Kafka).',
        where: [migration('005_orders'), 'dataplane/shard-agent/outbox.ts', 'dataplane/runtime/bus-kafka.ts'],
      },
      {
        id: 'R12',
        text: 'Deltas may be summed per shard over a *summary period* and sent as one.',
        where: ['dataplane/shard-agent/report.ts'],
      },
      {
        id: 'R13',
        text: 'The listener keeps a *resource table*: each shard’s initial amount and every delta since.',
        where: ['dataplane/protocol/table.ts'],
      },
      {
        id: 'R14',
        text: 'The table yields the *distribution view* with its dispersion (*ours*: coefficient of variation, minimum, maximum, mean).',
        where: ['dataplane/protocol/table.ts'],
      },
      {
        id: 'R15',
        text: '*Average rule*: a shard above the mean gives what is above it; one below takes what is missing. One or many shards on either side.',
        where: [balancer('rules/average'), balancer('spread')],
      },
      {
        id: 'R16',
        text: '*Threshold rule*: the threshold is the stock of all shards over the capacity of all. A shard fuller than that gives the excess, one emptier takes the deficit (*ours*: the ratio, and a dead band around it).',
        where: [balancer('rules/threshold'), balancer('spread')],
      },
      {
        id: 'R17',
        text: 'A command names the source with its amount, and each destination with its amount.',
        where: ['dataplane/protocol/messages.ts', migration('007_transfers')],
      },
      {
        id: 'R18',
        text: 'Stock moves from the source to the *transfer pool* to the destinations. The pool is a shard that serves no orders.',
        where: [migration('007_transfers'), 'dataplane/shard-agent/stock-holder.ts', 'dataplane/shard-agent/pool'],
      },
      {
        id: 'R19',
        text: 'Both legs of a transfer report their own deltas through the same queues.',
        where: [migration('007_transfers'), 'dataplane/shard-agent/report.ts'],
      },
      {
        id: 'R20',
        text: 'The pool’s leg to several shards is atomic: all of it leaves the pool, or nothing.',
        where: [migration('007_transfers'), balancer('allocate')],
      },
      {
        id: 'R21',
        text: 'A balance cycle lasts `n·k + m`: n shards, k the time in which one hands over or stores stock, m the delay of messages. Nothing is issued twice.',
        where: ['cycle', 'pending', 'loop'].map(balancer),
      },
      {
        id: 'R22',
        text: 'Nothing is lost when a source was drained before its command ran (*ours*: it gives what it has).',
        where: [migration('007_transfers'), balancer('pending')],
      },
      {
        id: 'R23',
        text: 'The baselines that the patent names are selectable modes for benchmarks: no balancing; asking for the distribution inside each transaction; pulling from rich shards after a large order; topping up across shards.',
        where: ['test/bench', balancer('rules/none')],
      },
      {
        id: 'R24',
        text: 'The same engine balances the balance of an account (debits and credits) as well as the stock of a product.',
        where: ['dataplane/protocol/units.ts', 'operator/balancer'],
      },
      {
        id: 'R25',
        text: 'Buyers’ data is kept to the lawful minimum, is protected and removable, and never stands in logs or metrics.',
        where: [
          'dataplane/runtime/log.ts',
          storefront('metrics'),
          'dataplane/stores/shard/sql/roles.sql',
          'operator/manifests/secrets.ts',
        ],
      },
    ],
  },
  {
    title: 'What a real sale needs besides',
    about: 'All of it is *ours*.',
    rows: [
      {
        id: 'R26',
        text: 'Conservation, at every moment: `supplied = Σ available + pool + in flight + Σ quantity of live orders`. No row is ever negative.',
        where: [migration('003_locking'), migration('007_transfers'), 'operator/audit/check.ts'],
      },
      {
        id: 'R27',
        text: 'One token makes one order at most. The limit per buyer holds under duplicate clicks at the same moment, and a duplicate click gets the same token back and takes nothing.',
        where: [lua('reserve'), migration('004_checkout')],
      },
      {
        id: 'R28',
        text: 'Every token ends, settled or returned, within its lifetime and a bounded grace; its virtual stock comes back exactly once.',
        where: ['dataplane/cache-agent/expire.ts', lua('due'), lua('finish'), migration('006_fences')],
      },
      {
        id: 'R29',
        text: 'Nobody with a valid token is told “sold out” because the stock lies in another shard, in the pool or in flight; nor is a buyer while another cache node has stock.',
        where: [
          storefront('sold-out'),
          storefront('refill'),
          'dataplane/shard-agent/pool/classify.ts',
          balancer('cover'),
          balancer('shortage'),
        ],
      },
      {
        id: 'R30',
        text: 'In the end, sold = min(supply, demand that qualifies): nothing is stranded in a cache node, a shard or the pool.',
        where: [balancer('decide'), 'dataplane/shard-agent/pool/virtual-stock.ts', 'operator/audit/check.ts'],
      },
      {
        id: 'R31',
        text: 'A payment that arrives after its order was cancelled never sells twice.',
        where: [migration('005_orders'), storefront('orders')],
      },
      {
        id: 'R32',
        text: 'Losing any one process, or a cache node with its data, neither oversells nor loses an order, and the stock it held returns.',
        where: ['dataplane/cache-agent/recover.ts', 'dataplane/cache-agent/decide.ts', migration('006_fences')],
      },
      {
        id: 'R33',
        text: 'Restock, withdraw unsold stock, add shards or storefronts, change rules and limits: by editing the resource while it sells. More or fewer cache nodes, too, with purchases paused for one token lifetime at most.',
        where: [
          'operator/topology/changes.ts',
          'operator/sale/registry-steps.ts',
          migration('008_supply'),
          migration('009_members'),
          'dataplane/shard-agent/pool/decide-resize.ts',
        ],
      },
      {
        id: 'R34',
        text: 'An unknown outcome (a timeout) is safe to try again: every writing call is idempotent.',
        where: [storefront('checkout-batcher'), 'dataplane/stores/errors.ts', migration('003_locking')],
      },
    ],
  },
];
