/** Files on their way into a folder, one after the other; nothing is replaced without asking. */

import { wordsOf } from '../../parts/banner';
import { useState } from 'react';
import type { Api } from '../../server/api';
import { RequestError } from '../../server/requests';
import { confirm } from '../../parts/dialogs';
import { objectAddress, sizeWords } from './addresses';

export interface UploadLine {
  readonly name: string;
  readonly words: string;
}

export interface Uploads {
  readonly lines: readonly UploadLine[];
  /** `folders` are those names among them that are no files. */
  upload(files: readonly File[], folders?: readonly string[]): Promise<void>;
}

export function useUploads(api: Api, bucket: string, folders: readonly string[], onDone: () => void): Uploads {
  const [lines, setLines] = useState<readonly UploadLine[]>([]);
  const say = (name: string, words: string) =>
    setLines(before => [...before.filter(line => line.name !== name), { name, words }]);
  const upload = async (files: readonly File[], dropped: readonly string[] = []) => {
    setLines(files.map(file => ({ name: file.name, words: 'waiting' })));
    for (const file of files) {
      if (dropped.includes(file.name)) {
        say(file.name, 'is a folder; drop its files');
        continue;
      }
      say(file.name, `sending ${sizeWords(file.size)} …`);
      say(file.name, await sent(api, objectAddress(bucket, folders, file.name), file));
    }
    onDone();
  };
  return { lines, upload };
}

/** Sends a file, and says in words how that went. */
async function sent(api: Api, address: string, file: File): Promise<string> {
  try {
    await api.upload(address, file);
    return 'uploaded';
  } catch (problem) {
    if (problem instanceof RequestError && problem.reference === 'object-exists') {
      return replaced(api, address, file);
    }
    const { what, next } = wordsOf(problem);
    return [what, next].filter(Boolean).join(' ');
  }
}

async function replaced(api: Api, address: string, file: File): Promise<string> {
  if (!(await confirm('Replace?', `${address}\nThere is an object of this name. What it holds now will be gone.`, 'Replace'))) {
    return 'kept as it was';
  }
  try {
    await api.upload(address, file, true);
    return 'replaced';
  } catch (problem) {
    return wordsOf(problem).what;
  }
}
