/** The dialog that asks or tells, as JupyterLab draws it. */

import { act, fireEvent, waitFor } from '@testing-library/react';

export async function dialog(): Promise<HTMLElement> {
  return waitFor(() => {
    const found = document.querySelector<HTMLElement>('.jp-Dialog');
    if (!found?.querySelector('button')) {
      throw new Error('no dialog yet');
    }
    return found;
  });
}

export async function pressInDialog(label: string): Promise<void> {
  const buttons = [...(await dialog()).querySelectorAll('button')];
  const wanted = buttons.find(button => button.textContent === label);
  await act(async () => void fireEvent.click(wanted as Element));
  await waitFor(() => {
    if (document.querySelector('.jp-Dialog')) {
      throw new Error('the dialog is still there');
    }
  });
}
