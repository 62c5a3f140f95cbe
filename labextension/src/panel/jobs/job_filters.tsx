/** The search field of the jobs, and the filters that wait behind a small button. */

import { filterIcon } from '@jupyterlab/ui-components';
import { useId, useState } from 'react';
import {
  filterWords,
  type JobFilter,
  NO_FILTER,
  notebookName,
  STATE_CHOICES,
  TARGET_CHOICES,
  type StateFilter,
  type TargetFilter
} from './job_order';

export interface JobFiltersProps {
  readonly filter: JobFilter;
  readonly notebooks: readonly string[];
  readonly shown: number;
  readonly total: number;
  onChange(filter: JobFilter): void;
}

export function JobFilters({ filter, notebooks, shown, total, onChange }: JobFiltersProps) {
  const [isOpen, setOpen] = useState(false);
  const region = useId();
  const words = filterWords(filter);
  const change = (part: Partial<JobFilter>) => onChange({ ...filter, ...part });
  return (
    <div className="cloudml-JobFilters">
      <div className="cloudml-JobFilters-line">
        <input
          type="search"
          className="cloudml-Field"
          placeholder="Search jobs"
          aria-label="Search jobs"
          value={filter.search}
          onChange={event => change({ search: event.target.value })}
        />
        <button
          type="button"
          className="cloudml-IconButton"
          aria-label="Filters"
          title="Filters"
          aria-expanded={isOpen}
          aria-controls={isOpen ? region : undefined}
          data-active={Boolean(words) || undefined}
          onClick={() => setOpen(!isOpen)}
        >
          <filterIcon.react tag="span" aria-hidden="true" />
        </button>
      </div>
      {isOpen && (
        <div id={region} className="cloudml-JobFilters-more" role="group" aria-label="Filters">
          <Choice
            label="State"
            value={filter.state}
            choices={STATE_CHOICES}
            onChange={state => change({ state: state as StateFilter })}
          />
          <Choice
            label="Target"
            value={filter.target}
            choices={TARGET_CHOICES}
            onChange={target => change({ target: target as TargetFilter })}
          />
          <Choice
            label="Notebook"
            value={filter.notebook}
            choices={[['', 'Any notebook'], ...notebooks.map(path => [path, notebookName(path)] as const)]}
            onChange={notebook => change({ notebook })}
          />
        </div>
      )}
      {(words || filter.search) && (
        <p className="cloudml-JobFilters-words" role="status">
          <span>
            {shown} of {total}
            {words && `: ${words}`}
          </span>
          <button type="button" className="cloudml-LinkButton" onClick={() => onChange(NO_FILTER)}>
            Clear
          </button>
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly (readonly [string, string])[];
  onChange(value: string): void;
}

function Choice({ label, value, choices, onChange }: ChoiceProps) {
  return (
    <label className="cloudml-Choice">
      <span>{label}</span>
      <select className="cloudml-Field" value={value} onChange={event => onChange(event.target.value)}>
        {choices.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
