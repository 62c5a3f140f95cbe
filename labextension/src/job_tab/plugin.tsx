/** Opens jobs as tabs of the main area, and brings them back when the page is loaded again. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { showWidget } from '../parts/place';
import { IJobActions } from '../tokens/actions';
import { DEFAULTS, IPreferences } from '../tokens/preferences';
import { IJobStore } from '../tokens/job_store';
import { CompareView } from './compare_view';
import { JobView } from './job_view';
import { TabContent } from './tab_widget';
import { IJobTabs } from '../tokens/job_tabs';

const OPEN = 'cloudml-magic:open-job-tab';
const IDS = /^[0-9]+(,[0-9]+)*$/;

export const jobTabPlugin: JupyterFrontEndPlugin<IJobTabs> = {
  id: 'cloudml-magic:job-tabs',
  description: 'Opens jobs of cloudml-magic as tabs.',
  autoStart: true,
  provides: IJobTabs,
  requires: [IJobStore],
  optional: [IPreferences, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    store: IJobStore,
    preferences: IPreferences | null,
    restorer: ILayoutRestorer | null
  ): IJobTabs => {
    const tracker = new WidgetTracker<MainAreaWidget<TabContent>>({ namespace: 'cloudml-magic-jobs' });
    const smoothing = (): number => (preferences?.current ?? DEFAULTS).smoothing;
    let actions: IJobActions | null = null;
    // The actions open tabs, so that they cannot be asked for before tabs are there.
    void app.restored.then(async () => {
      actions = await app.resolveOptionalService(IJobActions);
      tracker.forEach(tab => tab.content.update());
    });
    preferences?.changed.connect(() => tracker.forEach(tab => tab.content.update()));

    const create = (ids: readonly string[]): MainAreaWidget<TabContent> => {
      const [id] = ids;
      const content = new TabContent(isShown =>
        ids.length > 1 ? (
          <CompareView ids={ids} store={store} isShown={isShown} smoothing={smoothing()} />
        ) : (
          <JobView id={id!} store={store} actions={() => actions} isShown={isShown} smoothing={smoothing()} />
        )
      );
      const tab = new MainAreaWidget({ content });
      tab.id = nameOf(ids);
      tab.title.closable = true;
      const entitle = (): void => {
        const names = ids.map(each => store.document(each)?.name ?? `Job ${each}`);
        tab.title.label = names.join(' · ');
        tab.title.caption = names.join(', ');
      };
      entitle();
      store.changed.connect(entitle, content);
      tab.disposed.connect(() => store.changed.disconnect(entitle, content));
      return tab;
    };
    const show = (ids: readonly string[], section: string): void => {
      let tab = tracker.find(each => each.id === nameOf(ids));
      if (!tab) {
        tab = create(ids);
        void tracker.add(tab);
      }
      showWidget(app, tab);
      if (section) {
        tab.content.showSection(section);
      }
    };

    app.commands.addCommand(OPEN, {
      label: 'Open a Job',
      isVisible: () => false,
      execute: args => {
        const ids = String(args['ids'] ?? '');
        if (IDS.test(ids)) {
          show(ids.split(','), '');
        }
      }
    });
    if (restorer) {
      void restorer.restore(tracker, { command: OPEN, args: tab => ({ ids: tab.id.slice(PREFIX.length) }), name: tab => tab.id });
    }
    return {
      open: (id, at = 'top') => show([id], at === 'log' ? 'log' : ''),
      compare: ids => show(ids, '')
    };
  }
};

const PREFIX = 'cloudml-job-';

function nameOf(ids: readonly string[]): string {
  return PREFIX + ids.join(',');
}
