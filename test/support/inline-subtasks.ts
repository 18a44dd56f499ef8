/** Subtasks where a test, or a benchmark, can control them. */
import type { Clock } from '../../lib/core/clock.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { FromSubtask, ToSubtask } from '../../lib/pipeline/messages.ts';
import type { StartSubtask } from '../../lib/pipeline/subtask-host.ts';
import { type RunningSubtask, startSubtask } from '../../lib/pipeline/subtask-start.ts';
import type { FileSystem } from '../../lib/storage/file-system.ts';

/** Subtasks in the calling thread, on its clock and file system. Messages are copied as a thread would. */
export function inlineSubtasks(fileSystem: FileSystem, clock: Clock): StartSubtask {
  return (config, receive) => {
    const early: ToSubtask[] = [];
    let running: RunningSubtask | null = null;
    let dead = false;
    const send = (message: FromSubtask) => {
      setImmediate(() => {
        if (!dead) receive(structuredClone(message));
      });
    };
    const start = async () => {
      running = await startSubtask(structuredClone(config), fileSystem, clock, send);
      for (const message of early.splice(0)) running.receive(message);
      await running.done;
    };
    const ended = start().catch((error: unknown) =>
      send({ type: 'failed', subtask: config.subtask, error: SluiceError.from(error).toMessage() }),
    );
    const deliver = (message: ToSubtask) => {
      if (running === null) early.push(structuredClone(message));
      else running.receive(structuredClone(message));
    };
    return {
      send: deliver,
      terminate: async () => {
        dead = true;
        deliver({ type: 'end' });
        await ended;
        await running?.release();
      },
    };
  };
}
