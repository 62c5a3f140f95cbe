/** Whether a notebook that a job names is one that JupyterLab knows: jobs name it as the kernel saw it, mostly absolute. */

/** Whether the open notebook at `path` (relative to the server's root) is the one that is named. */
export function isSameNotebook(named: string, path: string): boolean {
  const bare = withoutDrive(path);
  return bare !== '' && (named === bare || named.endsWith(`/${bare}`));
}

/** The path under the server's root, or null where the notebook lies elsewhere; `root` may begin with `~`. */
export function pathUnderRoot(named: string, root: string): string | null {
  if (named.split('/').includes('..')) {
    return null;
  }
  if (!named.startsWith('/')) {
    return named;
  }
  const start = root.startsWith('~') ? homeOf(named) + root.slice(1) : root;
  const folder = start.endsWith('/') ? start : `${start}/`;
  return root && named.startsWith(folder) ? named.slice(folder.length) : null;
}

/** `/home/ada` of `/home/ada/work/a.ipynb`. */
function homeOf(named: string): string {
  return named.match(/^(\/root|\/[^/]+\/[^/]+)(?=\/)/)?.[0] ?? '';
}

/** Without the name of a contents drive (`RTC:`), which the kernel does not see. */
function withoutDrive(path: string): string {
  return path.replace(/^[A-Za-z][\w-]*:/, '').replace(/^\//, '');
}
