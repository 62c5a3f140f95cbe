/** The launcher's card, and the command behind it: a notebook that trains a small model when it is run. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { COMMANDS } from '../tokens/command_ids';
import { told } from '../parts/dialogs';
import { cloudmlIcon, ICON_ADDRESS } from '../parts/icon';
import { IPreferences, type Preferences } from '../tokens/preferences';

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloudml-magic:launcher',
  description: 'A notebook to begin with.',
  autoStart: true,
  requires: [IPreferences],
  optional: [ILauncher],
  activate: (app: JupyterFrontEnd, preferences: IPreferences, launcher: ILauncher | null) => {
    app.commands.addCommand(COMMANDS.newNotebook, {
      label: args => (args['isLauncher'] ? 'Cloud ML notebook' : 'New Cloud ML Notebook'),
      caption: 'A notebook that trains a small model as a job',
      icon: cloudmlIcon,
      execute: args => told(() => newNotebook(app, typeof args['cwd'] === 'string' ? args['cwd'] : '', preferences.current))
    });
    launcher?.add({
      command: COMMANDS.newNotebook,
      args: { isLauncher: true },
      category: 'Notebook',
      rank: 50,
      kernelIconUrl: ICON_ADDRESS
    });
  }
};

async function newNotebook(app: JupyterFrontEnd, folder: string, { defaultTarget }: Preferences): Promise<unknown> {
  const { contents } = app.serviceManager;
  const { path } = await contents.newUntitled({ path: folder, type: 'notebook' });
  await contents.save(path, { type: 'notebook', format: 'json', content: notebookContent(defaultTarget) });
  return app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
}

/** A notebook document of format 4.5 with a few cells that are ready to run. */
export function notebookContent(target: Preferences['defaultTarget']): object {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    cells: [
      markdown('about', ABOUT),
      code('init', `%load_ext cloudml_magic\n%ml_init --target ${target}`),
      code('data', DATA),
      code('train', TRAIN),
      code('predict', PREDICT)
    ]
  };
}

const ABOUT = `# A cell that trains outside the kernel

Run the cells. The one with \`%%ml_train\` becomes a job; its card follows the job while the notebook stays free.`;

const DATA = `from sklearn.datasets import load_digits

digits = load_digits()
x, y = digits.data / 16, digits.target`;

const TRAIN = `%%ml_train digits
import keras

model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_split=0.2)`;

const PREDICT = `from cloudml_magic import job

model = job("digits").model()  # waits for nothing: run it when the job has succeeded
model.predict(x[:3]).round(2)`;

function markdown(id: string, source: string): object {
  return { id, cell_type: 'markdown', metadata: {}, source };
}

function code(id: string, source: string): object {
  return { id, cell_type: 'code', metadata: {}, source, outputs: [], execution_count: null };
}
