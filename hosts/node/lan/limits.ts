/** Bounds of LAN discovery, each with its reason. Anybody on the same network can send whatever it likes to a multicast group, at any rate. */

export const lan_limits = {
  /** One packet; ours has 410 bytes. What is longer is not even decoded. */
  packet_bytes_max: 1_024,
  /** Packets about us that are looked into per second, of all senders that are not known yet. */
  packets_per_second_max: 32,
  /** The same, of one address: several nodes may run there. */
  packets_per_source_max: 12,
  /**
   * Devices that are looked for, over all networks; those beyond may still find us. Each costs two hashes per announcement, 8 µs together: an eighth
   * of a core while somebody floods.
   */
  sought_max: 512,
  /** Of our own devices, those that are announced; there are always as many tags, so that nobody sees how many are real. */
  tags: 24,
  hints_max: 1_024,
  /** What comes from one address and names one of our devices' peers; several nodes may run there. */
  hints_per_source_max: 64,
  /** A device has few interfaces; who is full takes no more, and what fails gives up its place. */
  hints_per_device_max: 4,
  /** Dials in a row that failed, after which a hint is forgotten: ten seconds or so. */
  failures_max: 5,
  /** How long a hint lasts that is not heard again: two questions may be lost. */
  hint_ms: 25 * 60_000,
  /** Announcements that are remembered as seen through already. */
  judged_max: 256,
  /** Interfaces that are used at a time. */
  links_max: 8,
  /** Between two announcements on an interface, and before an answer, so that not all answer at once: RFC 6762, section 6. */
  announce_pause_ms: 1_000,
  answer_ms_min: 20,
  answer_ms_max: 120,
  /** Between questions: twice as long each time. */
  ask_ms_first: 1_000,
  ask_ms_max: 10 * 60_000,
  /** From one series of questions to the next, whatever the reason for it. */
  ask_anew_ms_min: 10_000,
  /** How often it is looked whether the machine has other interfaces, or has slept. */
  check_every_ms: 5_000,
  /** A check that comes so much too late means that the machine slept: it may be elsewhere. */
  slept_ms: 30_000,
  /** How long a name is used. */
  name_ms_max: 60 * 60_000,
  /** After a failure an interface is tried again, after twice as long each time, so many times per name. */
  retry_ms_first: 1_000,
  retry_ms_max: 60_000,
  retries_max: 10,
  /** How long saying goodbye may take: a node ends within two seconds. */
  goodbye_ms_max: 200,
} as const;
