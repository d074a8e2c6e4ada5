import { Agent } from 'undici';
import { runLoad } from './run-load.ts';
import type { LoadJob } from './load-job.ts';

/** The load client as a process of its own: takes jobs by message, one at a time, and answers each with its result. */
const agent = new Agent({ connections: null, pipelining: 1 });

process.on('message', (job: LoadJob) => {
  void runLoad(job, agent).then((result) => process.send?.(result));
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
