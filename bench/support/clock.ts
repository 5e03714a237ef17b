/** Time as all processes of this machine see it. */

/** Milliseconds of the monotonic clock, the same in every process: `performance.now()` begins anew in each. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `holds` gives true, looking every `every_ms`; rejects with `what` after `timeout_ms`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { timeout_ms = 60_000, every_ms = 20 }: { timeout_ms?: number; every_ms?: number } = {},
): Promise<void> {
  const deadline = nowMs() + timeout_ms;
  while (!(await holds())) {
    if (nowMs() > deadline) throw new Error(`not within ${timeout_ms} ms: ${what}`);
    await sleep(every_ms);
  }
}

/** Rejects with `what` if `promise` takes longer. */
export async function within<T>(what: string, timeout_ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeout_ms} ms: ${what}`)), timeout_ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
