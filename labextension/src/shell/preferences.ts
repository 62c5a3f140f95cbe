/** Reads and keeps what the user set, through JupyterLab's own settings; without them the defaults hold. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';
import { DEFAULTS, IPreferences, type Preferences } from '../tokens/preferences';

const ID = 'cloudml-magic:preferences';

export const preferencesPlugin: JupyterFrontEndPlugin<IPreferences> = {
  id: ID,
  description: 'The settings of cloudml-magic.',
  autoStart: true,
  optional: [ISettingRegistry],
  provides: IPreferences,
  activate: (_: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const preferences = new KeptPreferences();
    registry?.load(ID).then(
      settings => preferences.attach(settings),
      (problem: unknown) => console.warn('The settings of cloudml-magic could not be read; the defaults hold.', problem)
    );
    return preferences;
  }
};

export class KeptPreferences implements IPreferences {
  readonly changed: Signal<IPreferences, Preferences> = new Signal<IPreferences, Preferences>(this);
  current: Preferences = DEFAULTS;
  private settings: ISettingRegistry.ISettings | null = null;

  attach(settings: ISettingRegistry.ISettings): void {
    this.settings = settings;
    const take = () => this.take(read(settings.composite as Record<string, unknown>));
    settings.changed.connect(take);
    take();
  }

  async set<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): Promise<void> {
    this.take(read({ ...this.current, [name]: value }));
    await this.settings?.set(name, value);
  }

  private take(preferences: Preferences): void {
    this.current = preferences;
    this.changed.emit(preferences);
  }
}

/** What is set, within its bounds; anything else is the default. */
export function read(values: Readonly<Record<string, unknown>>): Preferences {
  const within = (name: 'pollSeconds' | 'smoothing', least: number, most: number) => {
    const value = values[name];
    return typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : DEFAULTS[name];
  };
  const { notifications, defaultTarget } = values;
  return {
    pollSeconds: within('pollSeconds', 1, 60),
    notifications: notifications === 'failures' || notifications === 'none' ? notifications : DEFAULTS.notifications,
    defaultTarget: defaultTarget === 'cloud' ? 'cloud' : DEFAULTS.defaultTarget,
    smoothing: within('smoothing', 0, 0.95)
  };
}
