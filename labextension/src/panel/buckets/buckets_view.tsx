/** The buckets: which there are, and the way through their folders. */

import { useState } from 'react';
import type { Api } from '../../server/api';
import { Banner } from '../../parts/banner';
import { useAnswer } from './answers';
import { FolderView } from './folder_view';

interface Place {
  readonly bucket: string;
  readonly folders: readonly string[];
}

export function BucketsView({ api, now }: { readonly api: Api; readonly now: number }) {
  const [place, setPlace] = useState<Place | null>(null);
  if (!place) {
    return <BucketList api={api} onOpen={bucket => setPlace({ bucket, folders: [] })} />;
  }
  const { bucket, folders } = place;
  const steps = [bucket, ...folders];
  return (
    <div className="cloudml-Buckets">
      <nav className="cloudml-Crumbs" aria-label="Folder">
        <button type="button" className="cloudml-LinkButton" onClick={() => setPlace(null)}>
          Buckets
        </button>
        {steps.map((step, index) => (
          <span key={index} className="cloudml-Crumb">
            <span aria-hidden="true">/</span>
            {index === steps.length - 1 ? (
              <b aria-current="location">
                <bdi>{step || '(no name)'}</bdi>
              </b>
            ) : (
              <button
                type="button"
                className="cloudml-LinkButton"
                onClick={() => setPlace({ bucket, folders: folders.slice(0, index) })}
              >
                <bdi>{step || '(no name)'}</bdi>
              </button>
            )}
          </span>
        ))}
      </nav>
      <FolderView
        key={JSON.stringify(place)}
        api={api}
        bucket={bucket}
        folders={folders}
        now={now}
        onOpen={folder => setPlace({ bucket, folders: [...folders, folder] })}
      />
    </div>
  );
}

function BucketList({ api, onOpen }: { readonly api: Api; onOpen(bucket: string): void }) {
  const { value: buckets, problem, ask } = useAnswer(() => api.buckets(), api);
  if (problem) {
    return <Banner words={problem} retry={ask} />;
  }
  if (!buckets) {
    return <p className="cloudml-Empty">Looking for buckets …</p>;
  }
  if (buckets.length === 0) {
    return <p className="cloudml-Empty">No buckets yet. The first job makes one.</p>;
  }
  return (
    <ul className="cloudml-ObjectList" aria-label="Buckets">
      {buckets.map(bucket => (
        <li key={bucket.name}>
          <button type="button" className="cloudml-ObjectRow" onClick={() => onOpen(bucket.name)}>
            <span className="cloudml-ObjectRow-name">{bucket.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
