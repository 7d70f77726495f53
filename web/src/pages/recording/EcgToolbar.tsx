// What is shown of the traces and how: layout, speed, gain, zoom, caliper. One line that scrolls sideways
// on a phone.
import { ActionIcon, Button, Menu, SegmentedControl } from "@mantine/core";
import type { RefObject } from "react";
import type { EcgView as View } from "../../app/memory";
import type { EcgHandle } from "../../ecg/EcgView";
import { leadPlaces } from "../../ecg/leads";
import { type Layout, PAGE } from "../../ecg/sheet";
import { GAINS, type Gain, type Seconds, SPEEDS, type Speed, s } from "../../ecg/units";
import { CaliperIcon, CheckIcon, LeftIcon, MinusIcon, PanelIcon, PlusIcon, RightIcon } from "../../ui/icons";
import classes from "./Recording.module.css";

interface EcgToolbarProps {
  readonly view: View;
  readonly set: (change: Partial<View>) => void;
  readonly names: readonly string[];
  readonly handle: RefObject<EcgHandle | null>;
  /** Shown size to true size. */
  readonly ratio: number;
  readonly trueScale: boolean;
  readonly measuring: boolean;
  readonly onMeasuring: (measuring: boolean) => void;
  readonly start: Seconds;
  readonly duration: Seconds;
  readonly onStart: (start: Seconds) => void;
  readonly groups: readonly string[];
  readonly group: number | undefined;
  readonly onGroup: (group: number | undefined) => void;
  readonly panel: boolean;
  readonly onPanel: () => void;
}

const LAYOUT_WORDS: { value: Layout; label: string }[] = [
  { value: "3x4", label: "3×4" },
  { value: "6x2", label: "6×2" },
  { value: "12x1", label: "All" },
  { value: "single", label: "Lead" },
];

export function EcgToolbar(props: EcgToolbarProps) {
  const { view, set, handle, measuring } = props;
  return (
    <div className={classes.toolbar} role="toolbar" aria-label="Traces">
      <SegmentedControl
        size="xs"
        aria-label="Layout"
        value={view.layout}
        onChange={(layout) => set({ layout: layout as Layout })}
        data={LAYOUT_WORDS}
      />
      {view.layout === "single" && <LeadMenu {...props} />}
      <SegmentedControl
        size="xs"
        aria-label="Speed in mm/s"
        value={String(view.speed)}
        onChange={(speed) => set({ speed: Number(speed) as Speed })}
        data={SPEEDS.map((speed) => ({ value: String(speed), label: speed === 25 ? "25" : "50 mm/s" }))}
      />
      <SegmentedControl
        size="xs"
        aria-label="Gain in mm/mV"
        value={String(view.gain)}
        onChange={(gain) => set({ gain: Number(gain) as Gain })}
        data={GAINS.map((gain) => ({ value: String(gain), label: gain === 20 ? "20 mm/mV" : String(gain) }))}
      />
      <fieldset className={classes.zoom} aria-label="Zoom">
        <ActionIcon variant="default" aria-label="Zoom out" onClick={() => handle.current?.zoom(0.8)}>
          <MinusIcon />
        </ActionIcon>
        <output
          className={classes.ratio}
          title={
            props.trueScale
              ? "Size against true paper size, by this screen's ruler check"
              : "Size against true paper size, if this screen has 96 pixels to the inch. The ruler check in settings makes it sure."
          }
        >
          {props.trueScale ? "" : "≈"}
          {Math.round(props.ratio * 100)} %
        </output>
        <ActionIcon variant="default" aria-label="Zoom in" onClick={() => handle.current?.zoom(1.25)}>
          <PlusIcon />
        </ActionIcon>
        <Button size="compact-sm" variant="default" onClick={() => handle.current?.fit()}>
          Fit
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          title="Millimeters on the screen are millimeters"
          onClick={() => handle.current?.trueSize()}
        >
          1:1
        </Button>
      </fieldset>
      <Button
        size="compact-sm"
        variant={measuring ? "filled" : "default"}
        aria-pressed={measuring}
        leftSection={<CaliperIcon />}
        onClick={() => props.onMeasuring(!measuring)}
      >
        Caliper
      </Button>
      {props.duration > PAGE && <Pages {...props} />}
      <ViewMenu {...props} />
      <span className={classes.spring} />
      <Button
        className={classes.panelButton}
        size="compact-sm"
        variant="default"
        aria-pressed={props.panel}
        leftSection={<PanelIcon />}
        onClick={props.onPanel}
      >
        Details
      </Button>
    </div>
  );
}

function LeadMenu({ view, set, names }: EcgToolbarProps) {
  const { twelve, others } = leadPlaces(names, view.order);
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button size="compact-sm" variant="default" aria-label={`Lead ${view.lead}: choose another`}>
          {view.lead}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {[...twelve, ...others].map(({ label, index }) => (
          <Menu.Item
            key={label}
            disabled={index === undefined}
            leftSection={label === view.lead ? <CheckIcon /> : <span className={classes.noCheck} />}
            onClick={() => set({ lead: label })}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function ViewMenu({ view, set, groups, group, onGroup }: EcgToolbarProps) {
  const mark = (chosen: boolean) => (chosen ? <CheckIcon /> : <span className={classes.noCheck} />);
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button size="compact-sm" variant={group === undefined ? "default" : "light"}>
          {group === undefined ? "View" : groups[group]}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Order of the leads</Menu.Label>
        <Menu.Item leftSection={mark(view.order === "standard")} onClick={() => set({ order: "standard" })}>
          Standard
        </Menu.Item>
        <Menu.Item leftSection={mark(view.order === "cabrera")} onClick={() => set({ order: "cabrera" })}>
          Cabrera
        </Menu.Item>
        {groups.length > 0 && (
          <>
            <Menu.Label>Waveform in the file</Menu.Label>
            <Menu.Item leftSection={mark(group === undefined)} onClick={() => onGroup(undefined)}>
              Rhythm
            </Menu.Item>
            {groups.map((label, index) => (
              <Menu.Item key={index} leftSection={mark(group === index)} onClick={() => onGroup(index)}>
                {label}
              </Menu.Item>
            ))}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Pages({ start, duration, onStart }: EcgToolbarProps) {
  const end = Math.min(duration, start + PAGE);
  return (
    <fieldset className={classes.zoom} aria-label="Part of the recording">
      <ActionIcon
        variant="default"
        aria-label="Earlier part"
        disabled={start <= 0}
        onClick={() => onStart(s(Math.max(0, start - PAGE)))}
      >
        <LeftIcon />
      </ActionIcon>
      <output className={classes.ratio}>
        {start.toFixed(0)}–{end.toFixed(0)} of {duration.toFixed(0)} s
      </output>
      <ActionIcon
        variant="default"
        aria-label="Later part"
        disabled={end >= duration}
        onClick={() => onStart(s(start + PAGE))}
      >
        <RightIcon />
      </ActionIcon>
    </fieldset>
  );
}
