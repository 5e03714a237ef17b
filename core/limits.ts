/**
 * Every bound of the runtime, with its reason. A limit that is hit is an error or an outcome with the limit's name, never a hang.
 */
export const limits = {
  /** One frame from a peer: a few thousand messages; more would hold the event loop too long at a time. */
  frame_bytes_max: 4 * 1024 * 1024,
  /** Items in one frame: at about 100 µs each (signature, rows) half a second of work at the very most. */
  frame_items_max: 4096,
  /** One event as it travels: text for people, not files. */
  event_bytes_max: 64 * 1024,
  /** Signed header: thirteen fields, the longest of 32 bytes; anything longer is not a header. */
  header_bytes_max: 512,
  /** Nesting of CBOR: the deepest of our own shapes has four levels. Checked before decoding, so that nothing recurses into a bomb. */
  cbor_depth_max: 8,
  /** Values in one piece of CBOR, all levels together: a full frame of sealed events has half of that. Four million empty maps take seconds. */
  cbor_items_max: 256 * 1024,
  /** How far an envelope may be from the command, job or session that caused it, through reflectors: real chains have three links. */
  depth_max: 8,
  /** Envelopes that one run of a job, reflector or command may return: one transaction's worth of work. */
  emitted_max: 10_000,
  /** Envelopes that one root cause may lead to within one transaction, all generations together. */
  fan_out_max: 100_000,
  /** Rows that one query may return to a pure function. Ask for pages instead. */
  query_rows_max: 20_000,
  /** Wraps that one event may travel with: one per group key that it was sealed under since it was written. */
  wraps_per_event_max: 16,
  /** Events whose content keys one group key seals at the most, so that one deletion never rewraps a whole history. */
  events_per_key_max: 4_096,
  /** Events that one instruction may name: a few milliseconds of work, so that others get their turn in between. */
  events_per_instruction_max: 512,
  /** Devices that one removal names at the most: more than a person has. */
  devices_per_user_max: 64,
  /** Users that a private group is founded with at the most. */
  group_founders_max: 256,
  /** Opened bodies kept in memory for reading again, and their bytes together. */
  opened_cache_entries_max: 4_096,
  opened_cache_bytes_max: 8 * 1024 * 1024,
  /** Message and other text in a body, in UTF-8 bytes: several screens. */
  text_bytes_max: 16 * 1024,
  /** Names of channels, people and networks. */
  name_bytes_max: 256,
  /** Longest life that is not "for ever": ten years. */
  ttl_ms_max: 10 * 365 * 86_400_000,
  /** What an event may live that does not live for ever: a deletion outlives what it deletes by two days. */
  lifetime_ms_max: (10 * 365 + 2) * 86_400_000,
  /** How far ahead of our clock an event may claim to be before it is held back until its time: honest clocks err by minutes. */
  clock_skew_ms: 10 * 60_000,
  /** Events of one author that may wait for something at a time: a long absence, not a flood. */
  waiting_per_author_max: 1_000,
  /** Events of all authors together that may wait in one network. */
  waiting_per_network_max: 100_000,
  /** How long an event may wait before it is dropped, to be asked for again if it still exists somewhere. */
  waiting_ms_max: 30 * 86_400_000,
  /** Ids an event may name as dependencies. */
  dependencies_max: 16,
  /** Refused ids remembered per network, so that they are not fetched again and again. Oldest go first. */
  refused_max: 100_000,
  /** Entries of the trace kept in memory: about a minute of a busy node. */
  trace_entries_max: 8_192,
  /** Longest period of a job: ten years. Beyond, sums of times would leave the safe integers. */
  frequency_ms_max: 10 * 365 * 86_400_000,
  /** Due occurrences taken into one transaction: bounds how long a pass holds the database. */
  due_batch_max: 500,
  /** How long a pass goes on taking up further transactions: people who wait for an answer do not notice it. */
  pass_ms_max: 20,
  /** Transactions of one pass: five million occurrences. What is still due then waits for the next pass, so that a pass ends. */
  pass_batches_max: 10_000,
  /** With `misfire: skip`: how late an occurrence may start and still count as on time. Timers of a busy machine err by less. */
  misfire_late_ms: 1_000,
  /** How often `drain` may repeat one job before other work gets its turn. */
  drain_max: 1_000,
  /** Occurrences that `misfire: all` makes up for at the most: more would be a flood after a long absence. */
  misfire_all_max: 100,
  /** Longest sleep of the scheduler's timer: wall clocks jump, and timers beyond 2^31 ms fire at once. */
  timer_ms_max: 60_000,
  /** First and longest pause before a failed job is tried again. */
  retry_ms_first: 1_000,
  retry_ms_max: 5 * 60_000,
  /** Run rows kept per job and identity; older ones are pruned. */
  run_rows_max: 200,
  /** An unexplained forward jump of the clock that makes it suspect. */
  clock_forward_suspect_ms: 30 * 86_400_000,
  /** A backward jump of the clock that makes it suspect. */
  clock_backward_suspect_ms: 5 * 60_000,
  /** How far the stored highest time may lag behind while nothing else is written: well under what makes a backward jump suspect. */
  clock_persist_ms: 60_000,
  /** How closely others' clocks must agree with ours to clear the suspicion. */
  clock_agree_ms: 10 * 60_000,
} as const;

/** Stored in place of "never": larger than every time, so that comparisons need no special case. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER;
