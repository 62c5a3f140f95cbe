/** The extension's own icon: a curve that rises inside a cell. */

import { LabIcon } from '@jupyterlab/ui-components';

const FRAME =
  'M6 3h12a3 3 0 0 1 3 3v12a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3zm0 2a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V6a1 1 0 0 0-1-1z';
const CURVE = 'M7 15c4 0 4.5-6.6 9-7.4l.4 2C13 10.3 12.3 17 7 17z';

const drawn = (colour: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><g class="jp-icon3" fill="${colour}">` +
  `<path fill-rule="evenodd" d="${FRAME}"/><path d="${CURVE}"/><circle cx="16.2" cy="8.6" r="1.8"/></g></svg>`;

export const cloudmlIcon = new LabIcon({ name: 'cloudml-magic:icon', svgstr: drawn('#616161') });

/** The same as an address, for the launcher's cards of notebooks, which show pictures only. */
export const ICON_ADDRESS = `data:image/svg+xml,${encodeURIComponent(drawn('#1976d2'))}`;
