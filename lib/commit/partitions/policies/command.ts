/** Runs a program for each partition: the partition as JSON on its standard input, exit status 0 for success. */
import { spawn } from 'node:child_process';
import { yieldToEventLoop } from '../../../core/clock.ts';
import type { CommittedPartition, PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { CommandPolicySpec } from '../../../core/specs.ts';

/** Of its standard error, for the message. */
const MAX_ERROR_CHARACTERS = 1000;

/** `{path}` and `{partition}` in arguments are filled in. No shell is between: arguments arrive as they are. */
export function commandPolicy(spec: CommandPolicySpec): PartitionCommitPolicy {
  return {
    async commit(partitions, signal) {
      for (const partition of partitions) await run(spec, partition, signal);
    },
  };
}

function run(spec: CommandPolicySpec, partition: CommittedPartition, signal: AbortSignal): Promise<void> {
  const [program = '', ...rest] = spec.command.map((argument) =>
    argument.replaceAll('{path}', partition.path).replaceAll('{partition}', partition.partition),
  );
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: spec.timeoutMs,
      killSignal: 'SIGKILL',
      signal,
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, MAX_ERROR_CHARACTERS);
    });
    child.once('error', (error) => reject(new Error(`${program} could not be run: ${error.message}`)));
    child.once('exit', async () => {
      // What it wrote is in the pipe by now, and is read within a turn. What it left running may hold the pipe open for ever,
      // and 'close' would never come.
      await yieldToEventLoop();
      await yieldToEventLoop();
      child.stderr.destroy();
    });
    child.once('close', (code, killed) => {
      if (code === 0) resolve();
      else if (killed !== null)
        reject(new Error(`${program} was killed (${killed}) after ${spec.timeoutMs} ms at the most`));
      else
        reject(
          new Error(`${program} ended with status ${code}${complaint === '' ? '' : `: ${complaint.trim()}`}`),
        );
    });
    // A program that does not read its input is as good as one that does.
    child.stdin.on('error', () => {});
    child.stdin.end(`${JSON.stringify(partition)}\n`);
  });
}
