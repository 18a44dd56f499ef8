/** Flink's FileSource and FileSink: what does the same, and is exactly once, too. Needs Java 17 or newer, and Maven. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Candidate } from './candidate.ts';
import { cacheFolder } from './web-events.ts';

export interface FlinkOptions {
  readonly parallelism: number;
  /** As a stream with a checkpoint every five seconds, or as a batch, which commits once in the end. */
  readonly mode: 'streaming' | 'batch';
  readonly versus: string | null;
}

const POM = fileURLToPath(new URL('flink/pom.xml', import.meta.url));
const JOB = fileURLToPath(new URL('flink/FileSinkJob.java', import.meta.url));
/** What Flink's own scripts open for it since Java 17. */
const OPENED = ['lang', 'util'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`);

export function flinkName({ parallelism, mode }: Omit<FlinkOptions, 'versus'>): string {
  return `Flink, ${parallelism}, ${mode}`;
}

/** The job in a JVM of its own with the defaults of the JVM, cluster and all in one process. */
export function flink({ parallelism, mode, versus }: FlinkOptions): Candidate {
  return {
    name: flinkName({ parallelism, mode }),
    versus,
    program: 'java',
    prepare: async (folder, input) => {
      if (input === null) throw new Error('Flink needs an input');
      const built = build();
      const classPath = `${built}/classes${path.delimiter}${built}/lib/*`;
      const folders = [input.folder, `${folder}/lake`, `${folder}/checkpoints`];
      return [...OPENED, '-cp', classPath, 'FileSinkJob', mode, String(parallelism), ...folders];
    },
  };
}

/** Folder with the job's `classes` and, in `lib`, what it needs: made by Maven the first time. */
function build(): string {
  const version = createHash('sha256').update(readFileSync(POM)).update(readFileSync(JOB)).digest('hex');
  const folder = path.join(cacheFolder(), `flink-${version.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const goals = ['compile', 'dependency:copy-dependencies'];
  const { error, status, stdout, stderr } = spawnSync(
    'mvn',
    ['-q', '-B', '-f', POM, `-DbuildFolder=${unfinished}`, `-DoutputDirectory=${unfinished}/lib`, ...goals],
    { encoding: 'utf8' },
  );
  if (error !== undefined || status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(
      `Flink could not be built; it takes Maven, Java 17 or newer and the network\n${error?.message ?? stdout + stderr}`,
    );
  }
  renameSync(unfinished, folder);
  return folder;
}
