/** One folder of a bucket: its folders and objects, a preview, downloads, and uploads by drag and drop. */

import { downloadIcon, fileUploadIcon, folderIcon } from '@jupyterlab/ui-components';
import { useRef, useState, type DragEvent } from 'react';
import type { Api, Listing, StoredObject } from '../../server/api';
import { told } from '../../parts/dialogs';
import { ago } from '../../wording';
import { Banner } from '../../parts/banner';
import { nameWithin, folderAddress, objectAddress, sizeWords } from './addresses';
import { useAnswer } from './answers';
import { download } from './download';
import { ObjectPreview } from './object_preview';
import { useUploads } from './uploads';

export interface FolderViewProps {
  readonly api: Api;
  readonly bucket: string;
  readonly folders: readonly string[];
  readonly now: number;
  onOpen(folder: string): void;
}

export function FolderView({ api, bucket, folders, now, onOpen }: FolderViewProps) {
  const folder = folderAddress(bucket, folders);
  const { value: first, problem, ask } = useAnswer(() => api.objects(folder), folder);
  const [later, setLater] = useState<readonly Listing[]>([]);
  const [shown, setShown] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const { lines, upload } = useUploads(api, bucket, folders, () => {
    setLater([]);
    ask();
  });

  if (problem) {
    return <Banner words={problem} retry={ask} />;
  }
  const pages = first ? [first, ...later] : [];
  const more = pages.at(-1)?.next_page;
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    const { files, items } = event.dataTransfer;
    const entries = [...(items ?? [])].map(item => item.webkitGetAsEntry());
    void upload(
      [...files],
      entries.flatMap(entry => (entry?.isDirectory ? entry.name : []))
    );
  };
  return (
    <div
      className="cloudml-Folder"
      data-over={isOver || undefined}
      onDragOver={event => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <div className="cloudml-Folder-bar">
        <button type="button" className="cloudml-Button" onClick={() => chooser.current?.click()}>
          <fileUploadIcon.react tag="span" aria-hidden="true" />
          Upload
        </button>
        <span className="cloudml-Muted">or drop files here</span>
        <input
          ref={chooser}
          type="file"
          hidden
          multiple
          aria-label="Files to upload"
          onChange={event => {
            void upload([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
      </div>
      {lines.length > 0 && (
        <ul className="cloudml-Uploads" role="status">
          {lines.map(({ name, words }) => (
            <li key={name}>
              <bdi>{name}</bdi>: {words}
            </li>
          ))}
        </ul>
      )}
      {!first && <p className="cloudml-Empty">Looking …</p>}
      {first && pages.every(page => page.folders.length + page.objects.length === 0) && (
        <p className="cloudml-Empty">Nothing here.</p>
      )}
      <ul className="cloudml-ObjectList" aria-label="Folders and objects">
        {pages
          .flatMap(page => page.folders)
          .map(listed => (
            <li key={`folder ${listed}`}>
              <button type="button" className="cloudml-ObjectRow" onClick={() => onOpen(nameWithin(folders, listed))}>
                <folderIcon.react tag="span" aria-hidden="true" />
                <span className="cloudml-ObjectRow-name">
                  <bdi>{nameWithin(folders, listed) || '(no name)'}</bdi>
                </span>
              </button>
            </li>
          ))}
        {pages
          .flatMap(page => page.objects)
          .map(object => {
            const name = nameWithin(folders, object.name);
            const address = objectAddress(bucket, folders, name);
            return (
              <ObjectRow
                key={`object ${object.name}`}
                api={api}
                object={object}
                name={name}
                address={address}
                now={now}
                isShown={shown === address}
                onToggle={() => setShown(shown === address ? null : address)}
              />
            );
          })}
      </ul>
      {more && (
        <button
          type="button"
          className="cloudml-LinkButton cloudml-Folder-more"
          onClick={() => void told(async () => setLater([...later, await api.objects(folder, more)]))}
        >
          More
        </button>
      )}
    </div>
  );
}

interface ObjectRowProps {
  readonly api: Api;
  readonly object: StoredObject;
  readonly name: string;
  readonly address: string;
  readonly now: number;
  readonly isShown: boolean;
  onToggle(): void;
}

function ObjectRow({ api, object, name, address, now, isShown, onToggle }: ObjectRowProps) {
  return (
    <li>
      <div className="cloudml-ObjectRow-line">
        <button type="button" className="cloudml-ObjectRow" aria-expanded={isShown} onClick={onToggle}>
          <span className="cloudml-ObjectRow-name">
            <bdi>{name || '(no name)'}</bdi>
          </span>
          <span className="cloudml-ObjectRow-size">{sizeWords(object.size)}</span>
          <span className="cloudml-ObjectRow-time">{object.updated === null ? '' : ago(now - object.updated)}</span>
        </button>
        <button
          type="button"
          className="cloudml-IconButton"
          aria-label={`Download ${name}`}
          title="Download"
          onClick={() => void told(async () => download(await api.content(address), name))}
        >
          <downloadIcon.react tag="span" aria-hidden="true" />
        </button>
      </div>
      {isShown && <ObjectPreview api={api} address={address} name={name} />}
    </li>
  );
}
