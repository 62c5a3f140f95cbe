/** The extension's own icon: a curve that rises inside a cell. */

import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
<g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
<rect x="3" y="4" width="18" height="16" rx="3"/><path d="M7 16c2.5 0 3-7.5 10-8"/></g>
<circle class="jp-icon3" fill="#616161" cx="17" cy="8" r="1.8"/></svg>`;

export const cloudmlIcon = new LabIcon({ name: 'cloudml-magic:icon', svgstr: SVG });
