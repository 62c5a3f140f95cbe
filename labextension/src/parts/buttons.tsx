/** Buttons in a row: at most one of them loud; one that cannot be used says why. */

import { useState } from 'react';

export interface ButtonProps {
  children: string;
  onClick: () => unknown;
  look?: 'primary' | 'quiet' | 'plain';
  /** Why it cannot be used now, or empty. */
  refusal?: string;
  /** What it says to whoever hears it, where the words alone are not enough. */
  label?: string;
  /** Whether only its place is kept. */
  isPlace?: boolean;
}

/** Where the action takes its time, the button waits with it; what goes wrong is for `onClick` to tell. */
export function Button({ children, onClick, look = 'plain', refusal = '', label, isPlace }: ButtonProps): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const act = async (): Promise<void> => {
    if (refusal || isBusy) {
      return;
    }
    setBusy(true);
    try {
      await onClick();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      className={`cloudml-Button cloudml-mod-${look}`}
      aria-disabled={refusal !== '' || isBusy}
      title={refusal || undefined}
      aria-label={label}
      hidden={isPlace}
      onClick={() => void act()}
    >
      {children}
    </button>
  );
}

export function Buttons({ children }: { children: React.ReactNode }): JSX.Element {
  return <span className="cloudml-Buttons">{children}</span>;
}
