// The filters as one sentence of chips: "Recordings of [any patient] at [every site], acquired [on any
// day], with [any flag] of [any severity], [filed or held]". What is set stands out and can be taken away.
import { Button, NativeSelect, Popover, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { FlagCode, Severity, WorklistQuery } from "../../api/types";
import type { WorklistFilter } from "../../app/memory";
import { useSession } from "../../app/session";
import { isoDay } from "../../app/time";
import { capital, FLAG_CODES, FLAG_WORDS, SEVERITIES, SEVERITY_WORDS } from "../../app/words";
import { CloseIcon, SearchIcon } from "../../ui/icons";
import { useKeys } from "../../ui/keys";
import classes from "./FilterBar.module.css";

interface FilterBarProps {
  readonly filter: WorklistFilter;
  readonly onChange: (filter: WorklistFilter) => void;
}

export function FilterBar({ filter, onChange }: FilterBarProps) {
  const { session } = useSession();
  const set = (change: WorklistFilter) => {
    const next = Object.entries({ ...filter, ...change }).filter(
      ([, value]) => value !== undefined && value !== "",
    );
    onChange(Object.fromEntries(next) as WorklistFilter);
  };
  const site = session.sites.find(({ id }) => id === filter.site_id);
  const set_any = Object.keys(filter).length > 0;
  return (
    <search className={classes.bar} aria-label="Filters">
      <PatientSearch value={filter.patient ?? ""} onChange={(patient) => set({ patient })} />
      <div className={classes.sentence}>
        <Chip
          before="at"
          text={site?.name ?? "every site"}
          active={filter.site_id !== undefined}
          onClear={() => set({ site_id: undefined })}
        >
          <NativeSelect
            label="Site"
            value={filter.site_id ?? ""}
            onChange={(event) => set({ site_id: event.currentTarget.value || undefined })}
            data={[
              { value: "", label: "Every site" },
              ...session.sites.map(({ id, name }) => ({ value: id, label: name })),
            ]}
          />
        </Chip>
        <Chip
          before="acquired"
          text={daysText(filter)}
          active={filter.acquired_from !== undefined || filter.acquired_to !== undefined}
          onClear={() => set({ acquired_from: undefined, acquired_to: undefined })}
        >
          <Days filter={filter} set={set} />
        </Chip>
        <Chip
          before="with"
          text={
            filter.flag == null
              ? "any or no flag"
              : FLAG_WORDS[filter.flag].replace(/^[A-Z](?![A-Z])/, (c) => c.toLowerCase())
          }
          active={filter.flag !== undefined}
          onClear={() => set({ flag: undefined })}
        >
          <NativeSelect
            label="Flag"
            value={filter.flag ?? ""}
            onChange={(event) =>
              set({ flag: (event.currentTarget.value || undefined) as FlagCode | undefined })
            }
            data={[
              { value: "", label: "Any or no flag" },
              ...FLAG_CODES.map((code) => ({ value: code, label: FLAG_WORDS[code] })),
            ]}
          />
        </Chip>
        <Chip
          before="of"
          text={severityText(filter.severity)}
          active={filter.severity !== undefined}
          onClear={() => set({ severity: undefined })}
        >
          <NativeSelect
            label="Severity, at least"
            value={filter.severity ?? ""}
            onChange={(event) =>
              set({ severity: (event.currentTarget.value || undefined) as Severity | undefined })
            }
            data={[
              { value: "", label: "Any severity" },
              ...SEVERITIES.map((severity) => ({ value: severity, label: SEVERITY_WORDS[severity] })),
            ]}
          />
        </Chip>
        <Chip
          before="that are"
          text={filter.status ?? "filed or held"}
          active={filter.status !== undefined}
          onClear={() => set({ status: undefined })}
        >
          <NativeSelect
            label="Status"
            value={filter.status ?? ""}
            onChange={(event) =>
              set({ status: (event.currentTarget.value || undefined) as WorklistQuery["status"] })
            }
            data={[
              { value: "", label: "Filed or held" },
              { value: "filed", label: "Filed" },
              { value: "held", label: "Held" },
            ]}
          />
        </Chip>
        {set_any && (
          <Button variant="subtle" size="compact-sm" onClick={() => onChange({})}>
            Show all
          </Button>
        )}
      </div>
    </search>
  );
}

const SEARCH_DELAY_MS = 250;
const SEARCH_LENGTH_MIN = 2;

function PatientSearch({ value, onChange }: { value: string; onChange: (text: string | undefined) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  // The filter was changed from elsewhere: "Show all", or a count.
  if (value !== known) {
    setKnown(value);
    setText(value);
  }
  const apply = useRef(onChange);
  useEffect(() => {
    apply.current = onChange;
  });
  useEffect(() => {
    const wanted = text.trim();
    const next = wanted.length >= SEARCH_LENGTH_MIN ? wanted : "";
    if (next === known) return;
    const timer = setTimeout(() => {
      setKnown(next);
      apply.current(next === "" ? undefined : next);
    }, SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [text, known]);
  useKeys([{ keys: ["/"], does: "Search for a patient", run: () => input.current?.focus() }]);
  return (
    <TextInput
      ref={input}
      className={classes.search}
      size="sm"
      type="search"
      aria-label="Patient: start of a name, or an identifier"
      placeholder="Recordings of any patient"
      autoComplete="off"
      spellCheck={false}
      leftSection={<SearchIcon />}
      rightSection={
        text !== "" && (
          <button
            type="button"
            className={classes.clear}
            aria-label="Clear the search"
            onClick={() => setText("")}
          >
            <CloseIcon size={12} />
          </button>
        )
      }
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}

interface ChipProps {
  readonly before: string;
  readonly text: string;
  readonly active: boolean;
  readonly onClear: () => void;
  readonly children: ReactNode;
}

function Chip({ before, text, active, onClear, children }: ChipProps) {
  return (
    <span className={classes.part}>
      <span className={classes.before}>{before}</span>
      <span className={classes.chip} data-active={active || undefined}>
        <Popover width={260} trapFocus returnFocus withRoles>
          <Popover.Target>
            <button type="button" className={classes.text} data-inset-focus>
              {text}
            </button>
          </Popover.Target>
          <Popover.Dropdown>{children}</Popover.Dropdown>
        </Popover>
        {active && (
          <button
            type="button"
            className={classes.clear}
            aria-label={`Any: ${before} ${text}`}
            onClick={onClear}
          >
            <CloseIcon size={12} />
          </button>
        )}
      </span>
    </span>
  );
}

function Days({ filter, set }: { filter: WorklistFilter; set: (change: WorklistFilter) => void }) {
  const back = (days: number) => {
    const from = new Date();
    from.setDate(from.getDate() - days);
    set({ acquired_from: isoDay(from), acquired_to: isoDay(new Date()) });
  };
  return (
    <div className={classes.days}>
      <div className={classes.quick}>
        <Button size="compact-sm" variant="default" onClick={() => back(0)}>
          Today
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => back(6)}>
          Last 7 days
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => back(29)}>
          Last 30 days
        </Button>
      </div>
      <TextInput
        type="date"
        label="From"
        value={filter.acquired_from ?? ""}
        max={filter.acquired_to ?? undefined}
        onChange={(event) => set({ acquired_from: event.currentTarget.value || undefined })}
      />
      <TextInput
        type="date"
        label="To, inclusive"
        value={filter.acquired_to ?? ""}
        min={filter.acquired_from ?? undefined}
        onChange={(event) => set({ acquired_to: event.currentTarget.value || undefined })}
      />
    </div>
  );
}

function daysText({ acquired_from: from, acquired_to: to }: WorklistFilter): string {
  if (from == null && to == null) return "on any day";
  const today = isoDay(new Date());
  if (from === to) return from === today ? "today" : `on ${from}`;
  if (from == null) return `until ${to}`;
  if (to == null || to === today) return `since ${from}`;
  return `${from} to ${to}`;
}

function severityText(severity: Severity | null | undefined): string {
  if (severity == null) return "any severity";
  if (severity === "alert") return "severity alert";
  return capital(severity) === "Info" ? "severity info or more" : "severity borderline or more";
}
