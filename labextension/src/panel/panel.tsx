/** The panel at the left: jobs, models and buckets, how the two halves get along above, the platform below. */

import type { ReactNode } from 'react';
import type { PredictionDocument } from '../documents/generated';
import type { IJobActions } from '../tokens/actions';
import type { IJobStore } from '../tokens/job_store';
import { BucketsView } from './buckets/buckets_view';
import { JobsView } from './jobs/jobs_view';
import { ModelsView } from './models/models_view';
import { Banner } from '../parts/banner';
import { useNow, useSignal } from './signals';
import { StatusLine } from './status_line';
import { type PanelTab, Tabs } from './tabs';

export interface PanelProps {
  readonly store: IJobStore;
  readonly actions: IJobActions;
  readonly tab: PanelTab;
  onTab(tab: PanelTab): void;
  showMenu(id: string, x: number, y: number): void;
  showAnswer(answer: PredictionDocument): ReactNode;
}

export function Panel({ store, actions, tab, onTab, showMenu, showAnswer }: PanelProps) {
  useSignal(store.overviewChanged);
  const now = useNow(store, 30);
  const { words } = store.health;
  return (
    <>
      {words && <Banner words={words} retry={() => void store.refresh()} />}
      <Tabs chosen={tab} onChoose={onTab}>
        {tab === 'jobs' && <JobsView store={store} actions={actions} showMenu={showMenu} />}
        {tab === 'models' && <ModelsView store={store} showAnswer={showAnswer} />}
        {tab === 'buckets' && <BucketsView api={store.api} now={now} />}
      </Tabs>
      <StatusLine status={store.status} />
    </>
  );
}
