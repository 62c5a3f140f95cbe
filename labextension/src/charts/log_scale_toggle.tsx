/** Switches the vertical axis between even and logarithmic steps. */

export interface LogScaleToggleProps {
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}

export function LogScaleToggle({ isOn, onChange }: LogScaleToggleProps): JSX.Element {
  return (
    <button type="button" className="cloudml-Toggle" aria-pressed={isOn} onClick={() => onChange(!isOn)}>
      log scale
    </button>
  );
}
