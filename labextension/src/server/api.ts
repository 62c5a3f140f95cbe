/** What can be asked of the server half, as functions with types: docs/jupyter_server.md is the contract. */

import type { JobDocument, PredictionDocument } from '../documents/generated';
import type { ErrorParts, Requests } from './requests';

export interface Status {
  api: number;
  version: string;
  session: string;
  target: 'local' | 'cloud';
  project: string;
  region: string;
  bucket: string;
  platform: { state: 'up' | 'stopped' | 'unreachable'; words: string };
  running: number;
  queued: number;
  deployed: number;
  cost_per_hour: number | null;
  currency: string | null;
  can_tensorboard: boolean;
}

export interface NumberedDocument {
  seq: number;
  document: JobDocument;
}

export interface JobList {
  session: string;
  jobs: NumberedDocument[];
  more: boolean;
  status: Status;
}

export interface JobDetails {
  session: string;
  jobs: NumberedDocument[];
  unknown: string[];
}

export type LogLine = JobDocument['log'][number];
export type Curve = JobDocument['curves'][number];

export interface Operation {
  id: string;
  kind: 'deploy' | 'undeploy';
  title: string;
  /** The job whose model it deploys. */
  job: string | null;
  done: boolean;
  stage: string;
  error: ErrorParts | null;
  result: { title: string; address: string } | null;
}

export interface DeployedVersion {
  traffic: number;
  since: number;
  replicas: [number, number];
  machine: string;
  message: string;
}

export interface ModelVersion {
  version: string;
  title: string;
  aliases: string[];
  created: number;
  artifact_uri: string;
  deployed: DeployedVersion | null;
}

export interface Model {
  name: string;
  versions: ModelVersion[];
  endpoint: string | null;
}

export interface TensorSpec {
  name: string;
  dtype: string;
  shape: (number | null)[];
}

export interface ModelInterface {
  title: string;
  takes: 'picture' | 'json';
  picture: { height: number; width: number; channels: number } | null;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  example: unknown;
  labels: string[];
}

export interface Bucket {
  name: string;
  created: number | null;
}

export interface StoredObject {
  name: string;
  size: number;
  updated: number | null;
  content_type: string;
}

export interface Listing {
  folders: string[];
  objects: StoredObject[];
  next_page: string | null;
}

export type Preview =
  | { kind: 'text'; text: string; cut: boolean }
  | { kind: 'picture'; content_type: string; content: string }
  | { kind: 'none'; why: string };

export interface GivenPicture {
  name: string;
  /** Base64. */
  content: string;
}

/** Every route, each as one function. */
export class Api {
  constructor(readonly requests: Requests) {}

  jobs(): Promise<JobList> {
    return this.requests.get('jobs');
  }

  details(ids: readonly string[]): Promise<JobDetails> {
    return this.requests.get('jobs', { ids: ids.join(',') });
  }

  async curves(id: string): Promise<Curve[]> {
    return (await this.requests.get<{ curves: Curve[] }>(`jobs/${id}/curves`)).curves;
  }

  logs(id: string, last?: number): Promise<{ lines: LogLine[]; more: boolean }> {
    return this.requests.get(`jobs/${id}/logs`, { last });
  }

  bundle(id: string): Promise<Record<string, unknown>> {
    return this.requests.get(`jobs/${id}/bundle`);
  }

  async cancel(id: string): Promise<void> {
    await this.requests.post(`jobs/${id}/cancel`);
  }

  async deletionOf(id: string): Promise<string> {
    return (await this.requests.get<{ words: string }>(`jobs/${id}/deletion`)).words;
  }

  async deleteJob(id: string): Promise<void> {
    await this.requests.post(`jobs/${id}/delete`);
  }

  deployJob(id: string, as?: string): Promise<Operation> {
    return this.requests.post(`jobs/${id}/deploy`, as ? { as } : {});
  }

  watch(page: string, visible: boolean): Promise<{ session: string; lease_seconds: number }> {
    return this.requests.post('watch', { page, visible });
  }

  async models(): Promise<Model[]> {
    return (await this.requests.get<{ models: Model[] }>('models')).models;
  }

  modelInterface(title: string): Promise<ModelInterface> {
    return this.requests.get('models/interface', { title });
  }

  deploy(what: string, as?: string): Promise<Operation> {
    return this.requests.post('models/deploy', as ? { what, as } : { what });
  }

  undeploy(title: string): Promise<Operation> {
    return this.requests.post('models/undeploy', { title });
  }

  async removalOf(title: string): Promise<string> {
    return (await this.requests.get<{ words: string }>('models/removal', { title })).words;
  }

  async deleteModel(title: string, words: string): Promise<void> {
    await this.requests.post('models/delete', { title, words });
  }

  predictInstances(title: string, instances: unknown): Promise<PredictionDocument> {
    return this.requests.post('models/predict', { title, instances });
  }

  predictPictures(title: string, pictures: GivenPicture[]): Promise<PredictionDocument> {
    return this.requests.post('models/predict', { title, pictures });
  }

  operation(id: string): Promise<Operation> {
    return this.requests.get(`operations/${id}`);
  }

  async buckets(): Promise<Bucket[]> {
    return (await this.requests.get<{ buckets: Bucket[] }>('buckets')).buckets;
  }

  objects(folder: string, page?: string): Promise<Listing> {
    return this.requests.get('objects', { folder, page });
  }

  preview(address: string): Promise<Preview> {
    return this.requests.get('objects/preview', { address });
  }

  content(address: string): Promise<Blob> {
    return this.requests.blob('objects/content', { address });
  }

  upload(address: string, content: Blob, overwrite = false): Promise<{ name: string; size: number }> {
    return this.requests.post('objects/upload', content, { address, overwrite: overwrite ? 1 : undefined });
  }

  /** Where TensorBoard of these jobs is to be opened, started if it does not run. */
  async tensorboard(ids: readonly string[]): Promise<string> {
    const { path } = await this.requests.post<{ path: string }>('tensorboard', { jobs: ids });
    return this.requests.address(path);
  }
}
