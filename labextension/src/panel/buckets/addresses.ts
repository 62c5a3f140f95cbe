/** Where objects lie: names may hold anything, so that addresses are joined and taken apart here only. */

/** `gs://bucket/a/b/`; a folder's address ends with a slash. */
export function folderAddress(bucket: string, folders: readonly string[]): string {
  return `gs://${bucket}/${folders.map(folder => `${folder}/`).join('')}`;
}

export function objectAddress(bucket: string, folders: readonly string[], name: string): string {
  return folderAddress(bucket, folders) + name;
}

/** A listed name without the folder that it lies in and without a folder's slash. */
export function nameWithin(folders: readonly string[], listed: string): string {
  const folder = folders.map(name => `${name}/`).join('');
  const bare = folder && listed.startsWith(folder) ? listed.slice(folder.length) : listed;
  return bare.endsWith('/') ? bare.slice(0, -1) : bare;
}

/** `18 B`, `1.2 KB`, `34 MB`. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 10 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}
