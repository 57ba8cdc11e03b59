// Why a condition is as it is: every reason the operator may write, by condition and status, with what it means and what
// to do about it. A reason stays the same from release to release, for alerts and scripts look at it; the message beside
// it names the object and the details. Pure data; docs/conditions.md is generated from it.

interface Reason {
  /** One sentence: what is so. */
  means: string;
  /** One sentence: what a person does about it. Absent: nothing. */
  action?: string;
}

/** Why a sale is degraded: what keeps it from serving buyers, or a part of it from working. */
export const DEGRADED_REASONS = {
  CachesNotReady: {
    means: 'A cache node is down or recovering; its buyers cannot purchase, checkouts go on.',
    action: 'Wait while it recovers; if it lasts, look at the pod that the message names.',
  },
  ShardsNotReady: {
    means: 'A shard or the transfer pool is down; tokens that name it cannot be checked out, the other shards sell on.',
    action: 'Look at the pod that the message names, and at its volume.',
  },
  StorefrontsNotReady: {
    means: 'No storefront answers, or fewer than asked for.',
    action: 'Look at the pod that the message names; with spec.storefront.replicas 0 nobody can buy.',
  },
  KafkaUnavailable: {
    means:
      'No Kafka broker answers, so stock is not moved between shards; what each shard and cache node holds is sold meanwhile.',
    action: 'Check the brokers, spec.kafka, and whether the network lets the sale reach them.',
  },
  MissingReference: {
    means:
      'A Secret or ConfigMap that the sale names, or a key of it, does not exist in its namespace, or does not carry the label flashsale.dev/usable: "true".',
    action:
      'Create the object that the message names, correct the name, or let its owner label it: kubectl label secret NAME flashsale.dev/usable=true.',
  },
  InvalidReference: {
    means: 'A Secret or ConfigMap that the sale names exists, and what is in it cannot be used.',
    action: 'Correct the content as the message says.',
  },
  ImageCannotStart: {
    means: 'A container does not start: its image cannot be pulled, or its program ends at once.',
    action: 'Check the images in the operator’s options and the registry’s credentials; the message names the pod.',
  },
  VolumePending: {
    means: 'A volume is not bound, so its pod cannot start.',
    action: 'Name an existing storage class in spec.cache.storage or spec.shards.storage, or provide the volume.',
  },
  QuotaExceeded: {
    means: 'A quota or limit of the namespace refuses an object, a pod or a volume claim of the sale.',
    action: 'Raise the quota, or ask for less under resources, storage, nodes, shards or replicas.',
  },
  OrdersNotRelayed: {
    means:
      'The sale is being deleted and waits, for at most 10 minutes, because Kafka does not take its last order events or a shard’s database does not answer.',
    action:
      'Bring Kafka or the shard back. Or annotate the sale with flashsale.dev/drain=skip: it goes at once, and with deletionPolicy Retain the events stay on its volumes.',
  },
  NameTaken: {
    means:
      'An object that the sale needs has the name of one that is not the sale’s. It is neither changed nor used, and what depends on it is not made.',
    action:
      'Remove or rename the object that the message names, or give the sale another name; one of an earlier sale goes by itself.',
  },
  NotAllowed: {
    means:
      'The operator’s owner does not allow what the sale asks for: more than a limit of a sale or namespace, or a password sent in clear. What runs already goes on as it was; the edit is not taken up.',
    action: 'Change the field that the message names, or ask the operator’s owner.',
  },
  ApplyConflict: {
    means:
      'Another field manager owns a field of an object of the sale, or the API server or a policy refuses an object or a pod of it.',
    action: 'Take the field out of the other manager’s configuration, or have the policy admit what the message names.',
  },
} as const satisfies Record<string, Reason>;

export const REASONS = {
  Ready: {
    True: {
      Selling: { means: 'Buyers are served.' },
      Scheduled: { means: 'Everything runs; purchases begin at spec.window.opensAt.' },
      Paused: { means: 'spec.paused stops purchases; tokens already handed out can be checked out.' },
      SoldOut: { means: 'No unit is left, nor reserved by a token.' },
      Closed: { means: 'spec.window.closesAt has passed; tokens that are live can still be checked out.' },
    },
    False: {
      Starting: { means: 'The parts of the sale are being started for the first time; nobody can buy yet.' },
      Deleting: { means: 'The sale is being deleted; its storefronts have ended.' },
      Resizing: {
        means:
          'The number of cache nodes is changing: purchases pause for at most one token lifetime, checkouts go on.',
      },
      ...DEGRADED_REASONS,
    },
    Unknown: {
      Reconciling: { means: 'The operator has not looked at this edit of the sale yet.' },
    },
  },
  Progressing: {
    True: {
      Starting: { means: 'Parts are being started for the first time.' },
      Resizing: { means: 'The number of cache nodes is changing.' },
      Withdrawing: { means: 'Unsold units are being taken off sale, as far as they are not sold meanwhile.' },
      Draining: {
        means: 'The sale is being deleted, and its last order events are on their way to Kafka; then its parts go.',
      },
      RollingOut: { means: 'Pods are being replaced, one after the other.' },
    },
    False: {
      Settled: { means: 'Everything is as spec says.' },
    },
  },
  Degraded: {
    True: {
      ...DEGRADED_REASONS,
      PartlyReady: {
        means: 'Some cache nodes, shards or storefronts are down; the others sell on.',
        action: 'Look at the pods that the message names.',
      },
    },
    False: {
      AsExpected: { means: 'Every part works.' },
    },
  },
  Balanced: {
    True: {
      WithinDeadBand: { means: 'Every shard has what its tokens were promised, and its share of the rest.' },
      Covered: { means: 'Every shard has what its tokens were promised; the balancer’s rule asks for no more.' },
    },
    False: {
      Spreading: { means: 'Stock is on its way to shards that lack some.' },
    },
    Unknown: {
      NoReports: {
        means: 'The shards have not reported yet.',
        action: 'If it lasts, check Kafka: reports come over it.',
      },
    },
  },
  Authenticated: {
    True: {
      SignedTokens: { means: 'A buyer is known by a signed token (spec.auth.jwt).' },
      ProxySecret: {
        means: 'A buyer is known by a header, believed only beside the proxy’s secret (spec.auth.trustedHeader).',
      },
    },
    False: {
      Insecure: {
        means:
          'spec.auth.trustedHeader.insecure is true: whoever reaches a storefront can buy as anybody, as often as they like.',
        action: 'For a real sale use spec.auth.jwt, or spec.auth.trustedHeader.proxySecretRef.',
      },
      NoWay: {
        means:
          'The resource is from before spec.auth had to be given, and says no way to know a buyer; nobody is let in.',
        action: 'Set spec.auth.',
      },
    },
  },
} as const satisfies Record<string, Partial<Record<'True' | 'False' | 'Unknown', Record<string, Reason>>>>;

export type ConditionType = keyof typeof REASONS;
export type StatusOf<T extends ConditionType> = keyof (typeof REASONS)[T] & string;
/** The reasons a condition may have while it has this status. */
export type ReasonOf<T extends ConditionType, S extends StatusOf<T>> = keyof (typeof REASONS)[T][S] & string;
/** What may keep a sale from being ready, and makes it degraded. */
export type DegradedReasonName = keyof typeof DEGRADED_REASONS;
