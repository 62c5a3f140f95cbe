/** What an object holds: text as text, a picture that the server has drawn anew, or why there is nothing to show. */

import type { Api } from '../../server/api';
import { Banner } from '../../parts/banner';
import { useAnswer } from './answers';

const PICTURE_TYPES = new Set(['image/png', 'image/jpeg', 'image/webp']);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export interface ObjectPreviewProps {
  readonly api: Api;
  readonly address: string;
  readonly name: string;
}

export function ObjectPreview({ api, address, name }: ObjectPreviewProps) {
  const { value: preview, problem, ask } = useAnswer(() => api.preview(address), address);
  if (problem) {
    return <Banner words={problem} retry={ask} />;
  }
  if (!preview) {
    return <p className="cloudml-Muted cloudml-Preview">Looking …</p>;
  }
  if (preview.kind === 'none') {
    return <p className="cloudml-Muted cloudml-Preview">{preview.why}</p>;
  }
  if (preview.kind === 'text') {
    return (
      <div className="cloudml-Preview">
        <pre tabIndex={0} aria-label={`Beginning of ${name}`}>
          {preview.text}
        </pre>
        {preview.cut && <p className="cloudml-Muted">Only the beginning; download it for the rest.</p>}
      </div>
    );
  }
  const source = pictureSource(preview.content_type, preview.content);
  return (
    <div className="cloudml-Preview">
      {source ? <img src={source} alt={name} /> : <p className="cloudml-Muted">This picture cannot be shown.</p>}
    </div>
  );
}

/** A data: address of a picture of a kind that can hold no script, else null. */
export function pictureSource(type: string, content: string): string | null {
  return PICTURE_TYPES.has(type) && BASE64.test(content) ? `data:${type};base64,${content}` : null;
}
