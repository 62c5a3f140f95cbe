/** The names of the commands, for menus, key bindings and the palette. */

export const COMMANDS = {
  openPanel: 'cloudml:open-panel',
  openJob: 'cloudml:open-job',
  openLogs: 'cloudml:open-logs',
  openLatest: 'cloudml:open-latest-job',
  goToCell: 'cloudml:go-to-cell',
  goToFailed: 'cloudml:go-to-failed-cell',
  cancel: 'cloudml:cancel-job',
  deploy: 'cloudml:deploy-job',
  tensorboard: 'cloudml:open-tensorboard',
  compare: 'cloudml:compare-jobs',
  copyPython: 'cloudml:copy-python',
  remove: 'cloudml:delete-job',
  refresh: 'cloudml:refresh',
  newNotebook: 'cloudml:new-notebook'
} as const;

/** What the menu of a job offers, in this order. */
export const JOB_MENU = [
  COMMANDS.openJob,
  COMMANDS.openLogs,
  COMMANDS.goToCell,
  null,
  COMMANDS.cancel,
  COMMANDS.deploy,
  COMMANDS.tensorboard,
  COMMANDS.copyPython,
  null,
  COMMANDS.remove
] as const;
