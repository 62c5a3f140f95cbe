/** The three views of the panel as ARIA tabs: arrow keys move, and what is chosen is shown. */

import type { KeyboardEvent, ReactNode } from 'react';

export type PanelTab = 'jobs' | 'models' | 'buckets';

export const PANEL_TABS: readonly (readonly [PanelTab, string])[] = [
  ['jobs', 'Jobs'],
  ['models', 'Models'],
  ['buckets', 'Buckets']
];

export interface TabsProps {
  readonly chosen: PanelTab;
  readonly children: ReactNode;
  onChoose(tab: PanelTab): void;
}

export function Tabs({ chosen, children, onChoose }: TabsProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const next = tabAfter(chosen, event.key);
    if (next) {
      event.preventDefault();
      onChoose(next);
      event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
    }
  };
  return (
    <>
      <div className="cloudml-Tabs" role="tablist" aria-label="Cloud ML" onKeyDown={onKeyDown}>
        {PANEL_TABS.map(([tab, label]) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`cloudml-tab-${tab}`}
            data-tab={tab}
            aria-selected={tab === chosen}
            aria-controls={tab === chosen ? `cloudml-view-${tab}` : undefined}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => onChoose(tab)}
          >
            {label}
          </button>
        ))}
      </div>
      <div className="cloudml-View" role="tabpanel" id={`cloudml-view-${chosen}`} aria-labelledby={`cloudml-tab-${chosen}`}>
        {children}
      </div>
    </>
  );
}

function tabAfter(chosen: PanelTab, key: string): PanelTab | null {
  const names = PANEL_TABS.map(([tab]) => tab);
  const at = names.indexOf(chosen);
  const steps: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 };
  const step = steps[key];
  return step === undefined ? null : (names.at(step % names.length) ?? null);
}
