/** What the kernel counts of a process of ours: memory and time on a core. Linux only: it is read from /proc. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const MB = 2 ** 20;

function statusMb(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`expected ${field} in /proc/${pid}/status`);
  return (Number(kilobytes) * 1024) / MB;
}

/** Memory that the process has in RAM now, in MB of 2^20 bytes. */
export const memoryMb = (pid: number): number => statusMb(pid, 'VmRSS');

/** The most that it has had since it began, or since `forgetPeak`. Kept by the kernel, so that no moment is missed. */
export const peakMb = (pid: number): number => statusMb(pid, 'VmHWM');

/** From here on the peak is what comes. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Milliseconds that the threads of a process, those that live, have been on a core. The scheduler counts nanoseconds. */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}
