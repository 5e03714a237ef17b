/** What docs/performance.md says besides what was measured: how each group of figures comes about, and what limits it. */

export interface Section {
  readonly title: string;
  /** Names that belong here, by how they begin. */
  readonly begins: readonly string[];
  readonly command: string;
  readonly how: string;
  readonly limits: string;
}

export const INTRODUCTION = `How fast Sotto is, measured by itself. Written by \`bench/report.ts\` from what a run printed; nothing here is typed in by hand.

A value is the median of its runs; beside it are the lowest and the highest of them. Everything runs on one machine over loopback: what is measured is
software, not networks. Messages have 100 bytes of text, and every one of them is signed, sealed, verified by whoever receives it, and on the disk
(\`synchronous=FULL\`) before anybody is told of it. Machines differ, and this one does from hour to hour: compare figures of one run.`;

export const SECTIONS: readonly Section[] = [
  {
    title: 'A history comes to an empty node',
    begins: ['sync_'],
    command: 'npm run bench -- sync_',
    how: `Two processes: one with the history, one with an empty data directory, which is told to join by an invite link. The clock runs from there until
all messages are in its database, so the join itself (a handshake, being let in, getting keys) is part of it. In the same run the *ceiling* is measured: the bare receive
path, which verifies the same signatures on two threads, and opens, hashes and inserts on the main one (\`bench/support/ceiling.ts\`): no frames, no reconciliation, no rules,
nothing to answer. Memory is the highest that the kernel has seen of the receiving process, Node.js itself included.`,
    limits: `Signatures come first: to verify one takes longer than everything else that the bare path does with a message, and two cores have to do that beside all the
rest, on both sides of the connection: the sender of the history runs on the same machine. Then comes the receiver's main thread: each message is decoded, its wrap and
body are opened, its rules are asked, and it becomes a handful of rows and index entries. The disk is asked once per transaction, and hardly matters.`,
  },
  {
    title: 'Ten new messages',
    begins: ['delta_'],
    command: 'npm run bench -- delta_',
    how: `Two nodes that agree about the whole history are cut apart; one of them says ten things; they are connected again. The clock runs from the opened session until all
ten can be read on the other side. Bytes are counted by a proxy between them, both ways: WebSocket framing, encryption, reconciliation, the ten events themselves, and what
follows until both are silent; the handshake is counted apart. Memory is what the side that needed more had at the most above what it had before.`,
    limits: `Most of the bytes are the events: a message of 100 bytes is a header of 230, a signature of 64, a sealed body of 180 and a wrap of 80, less some 120 for ids that stood in the frame before. The rest is
the reconciliation, whose messages grow with the logarithm of the history. The time goes to reading and answering these, and to one commit for what has come.`,
  },
  {
    title: 'Two nodes that agree',
    begins: ['agree_'],
    command: 'npm run bench -- agree_',
    how: `The job that syncs every three seconds is run some hundreds of times between two connected nodes with the same events. Bytes as above; the time that all threads of a
process were on a core, by the kernel's count, of the side that needed more, per round.`,
    limits: `One frame with one fingerprint of everything, and what else a request says (which keys are awaited, where one's own chains end). The time is that of a job's run with its rows and
its commit.`,
  },
  {
    title: 'Saying something',
    begins: ['send_serial', 'send_concurrent'],
    command: 'npm run bench -- send_serial send_concurrent',
    how: `Through the facade of a node with 10,000 messages, as an app in the same process would. One after the other: each waits until the one before is on the disk; in turns with bare
commits of one row into a table of its own, on the same disk. The share is the bare commits' time by the messages'. At once: 32 are under way at a time.`,
    limits: `One at a time, the disk and what the message itself takes: the channel is found, the message signed, sealed, checked against its rules and put into some ten rows and index entries, all before its commit.
The faster the disk, the smaller the share: where a bare commit takes a third of a millisecond, the message takes twice that beside it. Many at once share the commit, and the rest remains.`,
  },
  {
    title: 'From saying to reading',
    begins: ['send_to_shown'],
    command: 'npm run bench -- send_to_shown',
    how: `Two connected nodes in two processes, both idle before each message. From the call that says something on one until the other has been told of it and has read it.`,
    limits: `Two commits, one on each side, follow each other: nothing is sent before it is on the sender's disk, and nothing is shown before it is on the receiver's.`,
  },
  {
    title: 'Reading a long channel',
    begins: ['read_page'],
    command: 'npm run bench -- read_page',
    how: `The newest 50 messages of a channel of a million, with names and reactions, through the facade. Before each read a message is said, and gets two reactions, so that no read finds
everything opened already.`,
    limits:
      'Opening what is new on the page, and the queries for the page, its reactions and the names on it.',
  },
  {
    title: 'Jobs',
    begins: ['jobs_', 'due_', 'idle_'],
    command: 'npm run bench -- jobs_ due_ idle_',
    how: `5,000 schedules become due at one moment; each of their jobs returns one envelope, which becomes a row. A look for due work is what an idle node does when its timer fires. Idle is a node with
10,000 messages and one connected peer, watched for half a minute, all its jobs running as scheduled.`,
    limits: `A savepoint and a handful of statements for each job. Looks go straight to the front of an index, however many schedules there are. An idle node is not quite idle: it compares itself with
its peer every three seconds, and each of these rounds is a commit.`,
  },
  {
    title: 'Starting',
    begins: ['start_', 'cli_'],
    command: 'npm run bench -- start_ cli_',
    how: `\`sotto start\` on a data directory with a million messages, from the start of the process until it says that it runs. \`sotto --help\`, from start to end. Both after one that does not count: Node.js keeps what it has compiled.`,
    limits: 'Node.js itself, and loading the modules. Nothing of the history is read at start.',
  },
  {
    title: 'Ten nodes',
    begins: ['chain_', 'mesh_'],
    command: 'npm run bench -- chain_ mesh_',
    how: `Ten processes in one network; each says a thousand things as fast as it can, 32 at once. Until all ten have all ten thousand. Copies: how often a message came to a node that is not its author, by the nodes' own counters.`,
    limits: `Ten nodes share two cores, and each verifies and stores what the others say: 90,000 messages in all. Here the machine is what is measured.`,
  },
  {
    title: 'Twenty minutes of broken lines',
    begins: ['soak_'],
    command: 'node bench/soak.ts --minutes 20',
    how: `Ten nodes, all connected with each other, each of the 45 lines through a proxy. Every three seconds a tenth of the lines break, while people talk. Of memory the first quarter of the time is left out; a
node's growth is the median of the last quarter less that of the second.`,
    limits:
      'Whatever a node keeps per peer, per session or per message would show here as memory that grows.',
  },
];

export const OTHERS = `The same workload for what somebody might pick instead, by \`node bench/peers/run.ts\`, on the same machine. They do not do the same per message, so that a number alone says little: below the table stands
what each checks, seals and stores. Ours begins with the join and theirs with the connection, since joining means something else in each.`;
