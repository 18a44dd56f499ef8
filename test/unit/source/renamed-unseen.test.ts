/**
 * `modified: append`: what happens to a followed file behind a listing's back, while a listing fails and is tried again, or
 * while another subtask has the file. Every line once.
 */
import { describe, expect, it } from 'vitest';
import { SourceHarness } from './source-harness.ts';

const include = ['**/*.log', '**/*.1', '**/*.2'];

/** Files of a piece of the listing of their own: what happens behind it is missed. */
function fillFirstPiece({ fileSystem }: SourceHarness): void {
  for (const name of ['x', 'y', 'z']) fileSystem.put(`/in/${name}.log`, '', 1n);
}

function behindFirstPiece({ fileSystem }: SourceHarness, action: () => void): void {
  fileSystem.fail({ operation: 'list', path: '/in', skip: 1, action });
}

/** A log of which two lines were taken, and a third one was added. */
async function followsLog(wanted: readonly string[] = include): Promise<SourceHarness> {
  const source = new SourceHarness({ modified: 'append', include: [...wanted] });
  fillFirstPiece(source);
  source.fileSystem.put('/in/a.log', 'a1\na2\n', 1n);
  await source.start();
  await source.drain();
  source.fileSystem.append('/in/a.log', 'a3\n', 2n);
  return source;
}

/** The log gets another name, and another file has its own. */
function renameLog({ fileSystem }: SourceHarness, to: string): void {
  fileSystem.rename('/in/a.log', to);
  fileSystem.put('/in/a.log', 'b1\n', 3n);
}

async function rounds(source: SourceHarness, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await source.scan();
    await source.drain();
  }
}

async function expectLines(source: SourceHarness, lines: readonly string[]): Promise<void> {
  expect([...source.lines].sort()).toEqual(lines);
  await source.kill();
}

describe('renamed while a listing passes', () => {
  it('to another folder, and another file has its name', async () => {
    const source = await followsLog();
    behindFirstPiece(source, () => renameLog(source, '/in/old/a.log'));
    await rounds(source, 4);
    await expectLines(source, ['a1', 'a2', 'a3', 'b1']);
  });

  it('to another folder, from a name that is no input', async () => {
    const source = new SourceHarness({ modified: 'append', include: ['**/*.log'] });
    const { fileSystem } = source;
    fillFirstPiece(source);
    fileSystem.put('/in/old/q.txt', '', 1n);
    fileSystem.put('/in/a.log', 'a1\n', 1n);
    await source.start();
    await source.drain();
    fileSystem.rename('/in/a.log', '/in/a.log.1');
    fileSystem.put('/in/a.log', 'b1\n', 2n);
    await rounds(source, 2);
    fileSystem.append('/in/a.log.1', 'a2\n', 3n);
    behindFirstPiece(source, () => {
      fileSystem.rename('/in/a.log.1', '/in/old/a.log.1');
      fileSystem.put('/in/a.log.1', 'other\n', 4n);
    });
    await rounds(source, 4);
    await expectLines(source, ['a1', 'a2', 'b1']);
  });

  it('by copytruncate with several generations: the copy is none the less one', async () => {
    const source = new SourceHarness({ modified: 'append', rotation: 'copytruncate', include });
    const { fileSystem } = source;
    fillFirstPiece(source);
    fileSystem.put('/in/a.log', 'b1\n', 2n);
    fileSystem.put('/in/a.log.1', 'a1\n', 1n);
    await source.start();
    await source.drain();
    fileSystem.append('/in/a.log', 'b2\n', 3n);
    await rounds(source, 1);
    behindFirstPiece(source, () => {
      fileSystem.rename('/in/a.log.1', '/in/a.log.2');
      fileSystem.put('/in/a.log.1', 'b1\nb2\n', 4n);
      fileSystem.write('/in/a.log', 'c1\n', 5n);
    });
    await rounds(source, 4);
    await expectLines(source, ['a1', 'b1', 'b2', 'c1']);
  });
});

describe('a listing that is tried again is one listing', () => {
  it('a file that was written anew as a whole goes on', async () => {
    const source = new SourceHarness({ modified: 'append', include });
    const { fileSystem } = source;
    fileSystem.put('/in/a.log', 'a1\na2\n', 1n);
    await source.start();
    await source.drain();
    fileSystem.put('/in/a.log', 'a1\na2\na3\n', 2n);
    fileSystem.fail({ operation: 'list', path: '/in' });
    await rounds(source, 3);
    await expectLines(source, ['a1', 'a2', 'a3']);
  });

  it.each([
    ['input', include],
    ['no input', ['**/*.log']],
  ])('a file that is renamed to what is %s while the second attempt lists', async (_, wanted) => {
    const source = await followsLog(wanted);
    source.fileSystem.fail({ operation: 'list', path: '/in' });
    behindFirstPiece(source, () => renameLog(source, '/in/a.log.1'));
    await rounds(source, 3);
    await expectLines(source, ['a1', 'a2', 'a3', 'b1']);
  });

  it('files of a folder that was away come back under other keys', async () => {
    const source = new SourceHarness({ modified: 'append', include });
    const { fileSystem } = source;
    fileSystem.put('/in/a.log', 'a1\na2\n', 1n);
    await source.start();
    await source.drain();
    const { identity } = fileSystem.replaceFolder('/in');
    await rounds(source, 3);
    fileSystem.replaceFolder('/in', new Map(), identity);
    fileSystem.put('/in/a.log', 'a1\na2\n', 1n);
    await rounds(source, 3);
    await expectLines(source, ['a1', 'a2']);
  });
});

describe('renamed while it waits to be read, and another subtask looks', () => {
  it.each([false, true])('a file that is not followed; its name is taken: %s', async (isTaken) => {
    const source = new SourceHarness({ modified: 'append', include: ['**/*'], splittable: false });
    const { fileSystem } = source;
    source.subtasks = 2;
    fileSystem.put('/in/a.1', 'a1\n', 1n);
    await source.start();
    source.enumerator.handleSplitRequest(0);
    await source.turn();
    expect(source.assignedPaths).toEqual(['/in/a.1']);
    fileSystem.rename('/in/a.1', '/in/a.2');
    if (isTaken) fileSystem.put('/in/a.1', 'b1\nb2\n', 2n);
    for (let i = 0; i < 2; i++) {
      await source.scan();
      source.enumerator.handleSplitRequest(1);
      await source.turn();
    }
    await source.drain();
    await rounds(source, 4);
    await expectLines(source, isTaken ? ['a1', 'b1', 'b2'] : ['a1']);
  });

  it.each(['', 'a5\n'])('a file without a key, to which %j was added', async (more) => {
    const source = new SourceHarness({ modified: 'append', include });
    const { fileSystem } = source;
    fileSystem.fileKeys = false;
    source.subtasks = 2;
    await source.start();
    fileSystem.put('/in/a.log', 'a1\na2\na3\na4\n', 1n);
    await source.scan();
    source.enumerator.handleSplitRequest(0);
    await source.turn();
    expect(source.assignedPaths).toEqual(['/in/a.log']);
    fileSystem.append('/in/a.log', more, 2n);
    fileSystem.rename('/in/a.log', '/in/a.log.1');
    await source.scan();
    source.enumerator.handleSplitRequest(1);
    await source.turn();
    await source.drain();
    await rounds(source, 6);
    await expectLines(source, ['a1', 'a2', 'a3', 'a4', ...(more === '' ? [] : ['a5'])]);
  });
});

describe('a copy is looked at slowly, while its log is taken, read and cut', () => {
  it.each([
    ['is new', null],
    ['was empty', ''],
    ['had other lines', 'x1\n'],
  ])('a copy whose file %s', async (_, before) => {
    const source = new SourceHarness({ modified: 'append', rotation: 'copytruncate', include });
    const { fileSystem } = source;
    source.subtasks = 2;
    if (before !== null) fileSystem.put('/in/a.log.1', before, 1n);
    await source.start();
    await source.drain();
    fileSystem.put('/in/a.log', 'a1\na2\na3\n', 3n);
    fileSystem.write('/in/a.log.1', 'a1\na2\na3\n', 2n);
    const release = holdStat(source, '/in/a.log');
    await source.scan();
    await source.drain();
    expect(source.lines.slice(-3)).toEqual(['a1', 'a2', 'a3']);
    fileSystem.write('/in/a.log', 'b1\n', 4n);
    release();
    await source.turn();
    await source.drain();
    await rounds(source, 4);
    await expectLines(source, ['a1', 'a2', 'a3', 'b1', ...(before === 'x1\n' ? ['x1'] : [])]);
  });

  /** The next stat of a file waits. @returns what lets it go on */
  function holdStat({ fileSystem }: SourceHarness, path: string): () => void {
    const stat = fileSystem.stat.bind(fileSystem);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let isHeld = false;
    fileSystem.stat = async (asked) => {
      if (asked === path && !isHeld) {
        isHeld = true;
        await held;
      }
      return stat(asked);
    };
    return () => {
      expect(isHeld).toBe(true);
      letGo();
    };
  }
});
