/** Pictures for a model: dropped, pasted or chosen; how many and how large they may be is said, not guessed. */

import { useRef, useState, type ClipboardEvent, type DragEvent } from 'react';
import type { GivenPicture } from '../../server/api';
import { base64Of } from './base64';

export const MOST_PICTURES = 16;
export const MOST_BYTES = 10 * 1024 * 1024;

export interface PictureQuestionProps {
  readonly isAsking: boolean;
  onAsk(pictures: () => Promise<GivenPicture[]>): void;
}

export function PictureQuestion({ isAsking, onAsk }: PictureQuestionProps) {
  const chooser = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState('');
  const [isOver, setOver] = useState(false);

  const take = (files: readonly File[]) => {
    const words = faultOf(files);
    setFault(words);
    if (!words && files.length > 0) {
      onAsk(() => Promise.all(files.map(async file => ({ name: file.name, content: await base64Of(file) }))));
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    take([...event.dataTransfer.files]);
  };
  const paste = (event: ClipboardEvent) => take([...event.clipboardData.files]);

  return (
    <>
      <button
        type="button"
        className="cloudml-DropZone"
        data-over={isOver || undefined}
        disabled={isAsking}
        onClick={() => chooser.current?.click()}
        onPaste={paste}
        onDragOver={event => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <b>{isAsking ? 'Asking …' : 'Drop pictures here'}</b>
        <span>or click to choose, or paste · at most {MOST_PICTURES}, 10 MB in all</span>
      </button>
      <input
        ref={chooser}
        type="file"
        hidden
        multiple
        accept="image/*"
        aria-label="Pictures"
        onChange={event => {
          take([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <p className="cloudml-FieldWords" role="status">
        {fault}
      </p>
    </>
  );
}

/** Why these files cannot be asked about, or empty. */
export function faultOf(files: readonly Pick<File, 'name' | 'size' | 'type'>[]): string {
  const other = files.find(file => !file.type.startsWith('image/'));
  if (other) {
    return `${other.name} is no picture.`;
  }
  if (files.length > MOST_PICTURES) {
    return `${files.length} pictures are more than the ${MOST_PICTURES} that can be asked about at once.`;
  }
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return size > MOST_BYTES ? `That is ${(size / 1024 / 1024).toFixed(1)} MB; at most 10 MB can be sent at once.` : '';
}
