// One recording: who, the traces, and beside them what the machine and the device say of it.
// The neighbors in the worklist are not read ahead: opening a recording is an access that is logged, and
// what nobody opened must not be in the log.
import { Button, Menu } from "@mantine/core";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { live } from "../../api/events";
import { queries } from "../../api/queries";
import type { RecordingDetail } from "../../api/types";
import { remember, useMemory, type EcgView as View } from "../../app/memory";
import { may } from "../../app/permissions";
import { useRuler } from "../../app/ruler";
import { useSession } from "../../app/session";
import { type EcgHandle, EcgView } from "../../ecg/EcgView";
import { filtersText } from "../../ecg/filters";
import { beatSpan, type Evidence } from "../../ecg/highlight";
import { leadPlaces } from "../../ecg/leads";
import { isTwelveLead, LAYOUTS, PAGE } from "../../ecg/sheet";
import { GAINS, hz, SPEEDS, s } from "../../ecg/units";
import { signalsOf } from "../../ecg/waveform";
import { DownloadIcon, LeftIcon, MoreIcon, PanelIcon, RightIcon } from "../../ui/icons";
import { type KeyBinding, useKeys } from "../../ui/keys";
import { useTitle } from "../../ui/Page";
import { PatientHead } from "../../ui/PatientHead";
import { Failed, Loading } from "../../ui/States";
import { AssignDialog } from "./AssignDialog";
import { EcgToolbar } from "./EcgToolbar";
import classes from "./Recording.module.css";
import { SidePanel } from "./SidePanel";
import { UnassignDialog } from "./UnassignDialog";

export default function RecordingPage() {
  const { id = "" } = useParams();
  // A new page for every recording: nothing of the one before can stand under another's name.
  return <Recording key={id} id={id} />;
}

function Recording({ id }: { id: string }) {
  useTitle("Recording");
  const queryClient = useQueryClient();
  const detail = useQuery({ ...queries.recording(id), refetchOnWindowFocus: false, staleTime: 300_000 });
  useEffect(
    () =>
      live.listen((event) => {
        if (event.kind === "resumed" || (event.kind === "recording" && event.recordingId === id)) {
          void queryClient.invalidateQueries({ queryKey: queries.recording(id).queryKey });
        }
      }),
    [queryClient, id],
  );
  if (detail.data === undefined) {
    return (
      <>
        <h1 className="hidden">Recording</h1>
        {detail.isPending ? (
          <Loading what="recording" />
        ) : (
          <Failed what="recording" failure={detail.error} retry={() => void detail.refetch()} />
        )}
      </>
    );
  }
  return <Opened detail={detail.data} />;
}

function Opened({ detail }: { detail: RecordingDetail }) {
  const { session } = useSession();
  const navigate = useNavigate();
  const { before, after } = useNeighbors(detail.recording_id);
  const [dialog, setDialog] = useState<"assign" | "unassign" | undefined>(undefined);
  const [panel, setPanel] = useState(true);
  const [details, setDetails] = useState(false);
  const { ecg } = useMemory();
  const [lit, setLit] = useState<number | undefined>(undefined);
  const flag = lit === undefined ? undefined : detail.flag_report.flags[lit];
  const evidence = useMemo(
    (): Evidence | undefined => (flag === undefined ? undefined : flag.evidence),
    [flag],
  );
  const open = (id: string | undefined) => {
    if (id !== undefined) navigate(`/recordings/${id}`);
  };
  useKeys([
    { keys: ["n"], does: "Next recording of the worklist", run: () => open(after) },
    { keys: ["p"], does: "Previous recording of the worklist", run: () => open(before) },
    { keys: ["d"], does: "Show or hide the details", run: () => setPanel((shown) => !shown) },
  ]);
  const id = detail.recording_id;
  const canAssign = may(session, "assign-recording");
  const canExport = may(session, "export-original");
  return (
    <div className={classes.page} data-panel={panel || undefined} data-details={details || undefined}>
      <PatientHead
        patient={detail.patient}
        devicePatient={detail.device_patient}
        site={detail.site?.name ?? "not stated"}
        linked={detail.patient != null}
      >
        {detail.patient == null && canAssign && (
          <Button size="compact-md" fz="sm" onClick={() => setDialog("assign")}>
            Assign patient…
          </Button>
        )}
        {canExport && (
          <Button
            className={classes.pdf}
            size="compact-md"
            fz="sm"
            variant="default"
            component="a"
            href={sheetUrl(id, "pdf", sheetLayout(ecg.layout))}
            target="_blank"
            rel="noreferrer"
            leftSection={<DownloadIcon />}
          >
            PDF
          </Button>
        )}
        <div className={classes.step}>
          <Button
            size="compact-md"
            fz="sm"
            variant="default"
            disabled={before === undefined}
            onClick={() => open(before)}
            aria-label="Previous recording"
            title="Previous recording (p)"
          >
            <LeftIcon />
          </Button>
          <Button
            size="compact-md"
            fz="sm"
            variant="default"
            disabled={after === undefined}
            onClick={() => open(after)}
            aria-label="Next recording"
            title="Next recording (n)"
          >
            <RightIcon />
          </Button>
        </div>
        <Menu>
          <Menu.Target>
            <Button size="compact-md" fz="sm" variant="default" aria-label="More about this recording">
              <MoreIcon />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {canExport && (
              <>
                <Menu.Label>Sheet</Menu.Label>
                <Menu.Item component="a" href={sheetUrl(id, "pdf", "3x4")} target="_blank" rel="noreferrer">
                  PDF, 3×4 with rhythm strip
                </Menu.Item>
                <Menu.Item component="a" href={sheetUrl(id, "pdf", "6x2")} target="_blank" rel="noreferrer">
                  PDF, 6×2
                </Menu.Item>
                <Menu.Item component="a" href={sheetUrl(id, "pdf", "12x1")} target="_blank" rel="noreferrer">
                  PDF, 12×1
                </Menu.Item>
                <Menu.Item component="a" href={sheetUrl(id, "png", "3x4")} target="_blank" rel="noreferrer">
                  Image, 3×4
                </Menu.Item>
                <Menu.Label>File</Menu.Label>
                <Menu.Item component="a" href={`/api/recordings/${id}/original`} download>
                  Original as received
                </Menu.Item>
              </>
            )}
            {detail.patient != null && canAssign && (
              <Menu.Item onClick={() => setDialog("unassign")}>Take back from this patient…</Menu.Item>
            )}
            {!canExport && !(detail.patient != null && canAssign) && (
              <Menu.Label>Your role cannot export or assign</Menu.Label>
            )}
          </Menu.Dropdown>
        </Menu>
      </PatientHead>
      <div className={classes.body}>
        <Traces detail={detail} evidence={evidence} onPanel={() => setPanel(!panel)} panel={panel} />
        <SidePanel detail={detail} lit={lit} onLit={setLit} />
      </div>
      <nav className={classes.thumb} aria-label="Recording">
        <button type="button" data-inset-focus disabled={before === undefined} onClick={() => open(before)}>
          <LeftIcon />
          Previous
        </button>
        <button type="button" data-inset-focus aria-pressed={details} onClick={() => setDetails(!details)}>
          <PanelIcon />
          {details ? "Traces" : "Details"}
        </button>
        <button type="button" data-inset-focus disabled={after === undefined} onClick={() => open(after)}>
          <RightIcon />
          Next
        </button>
      </nav>
      <AssignDialog detail={detail} opened={dialog === "assign"} onClose={() => setDialog(undefined)} />
      <UnassignDialog detail={detail} opened={dialog === "unassign"} onClose={() => setDialog(undefined)} />
    </div>
  );
}

/** The sheet as it is on screen, where paper has that layout. */
const sheetLayout = (layout: View["layout"] | undefined) =>
  layout === "6x2" || layout === "12x1" ? layout : "3x4";

const sheetUrl = (id: string, format: "pdf" | "png", layout: "3x4" | "6x2" | "12x1") =>
  `/api/recordings/${id}/sheet?format=${format}&layout=${layout}`;

interface TracesProps {
  readonly detail: RecordingDetail;
  readonly evidence: Evidence | undefined;
  readonly panel: boolean;
  readonly onPanel: () => void;
}

function Traces({ detail, evidence, panel, onPanel }: TracesProps) {
  const waveform = useQuery({ ...queries.waveform(detail.recording_id), refetchOnWindowFocus: false });
  const { ecg } = useMemory();
  const ruler = useRuler();
  const handle = useRef<EcgHandle>(null);
  const [ratio, setRatio] = useState(1);
  const [measuring, setMeasuring] = useState(false);
  const [start, setStart] = useState(s(0));
  const [groupIndex, setGroupIndex] = useState<number | undefined>(undefined);
  const lastLayout = useRef<View["layout"]>("3x4");

  const decoded = useMemo(() => {
    if (waveform.data === undefined) return undefined;
    try {
      const group = groupIndex === undefined ? undefined : waveform.data.other_groups[groupIndex];
      return { signals: signalsOf(group ?? waveform.data) };
    } catch (failure) {
      return { failure };
    }
  }, [waveform.data, groupIndex]);
  const signals = decoded?.signals;

  const names = signals?.leads.map(({ name }) => name) ?? [];
  const narrow = window.innerWidth <= 640;
  const usual: View["layout"] = names.length > 0 && !isTwelveLead(names) ? "12x1" : narrow ? "6x2" : "3x4";
  const view: View = {
    layout: ecg.layout ?? usual,
    speed: ecg.speed ?? 25,
    gain: ecg.gain ?? 10,
    order: ecg.order ?? "standard",
    lead:
      ecg.lead !== undefined && names.includes(ecg.lead.replace("−", ""))
        ? ecg.lead
        : names.includes("II")
          ? "II"
          : (names[0] ?? "II"),
  };
  const set = (change: Partial<View>) => {
    if (change.layout !== undefined && change.layout !== "single") lastLayout.current = change.layout;
    remember({ ecg: { ...ecg, ...change } });
  };
  const duration = signals?.duration ?? s(0);
  const beat = useMemo(
    () => beatSpan(detail.measurements.fiducials, hz(detail.sampling_hz)),
    [detail.measurements.fiducials, detail.sampling_hz],
  );
  const stepLead = (by: 1 | -1) => {
    const { twelve, others } = leadPlaces(names, view.order);
    const places = [...twelve, ...others].filter((place) => place.index !== undefined);
    const at = places.findIndex((place) => place.label === view.lead);
    const next = places[(at + by + places.length) % places.length];
    if (next !== undefined) set({ layout: "single", lead: next.label });
  };
  const cycle = <T,>(values: readonly T[], value: T): T =>
    values[(values.indexOf(value) + 1) % values.length] ?? value;
  const keys: KeyBinding[] = [
    { keys: ["+", "="], does: "Zoom in", run: () => handle.current?.zoom(1.25) },
    { keys: ["-"], does: "Zoom out", run: () => handle.current?.zoom(0.8) },
    { keys: ["0"], does: "Fit the sheet", run: () => handle.current?.fit() },
    { keys: ["1"], does: "True size", run: () => handle.current?.trueSize() },
    { keys: ["l"], does: "Change the layout", run: () => set({ layout: cycle(LAYOUTS, view.layout) }) },
    { keys: ["s"], does: "Change the speed", run: () => set({ speed: cycle(SPEEDS, view.speed) }) },
    { keys: ["a"], does: "Change the gain", run: () => set({ gain: cycle(GAINS, view.gain) }) },
    { keys: ["["], does: "Previous lead, alone", run: () => stepLead(-1) },
    { keys: ["]"], does: "Next lead, alone", run: () => stepLead(1) },
    { keys: ["c"], does: "Measure with the caliper", run: () => setMeasuring(!measuring) },
    {
      keys: ["Escape"],
      does: "Put the caliper away",
      run: () => {
        setMeasuring(false);
        handle.current?.clearCaliper();
      },
    },
  ];
  if (duration > PAGE) {
    const turn = (by: number) =>
      setStart(s(Math.max(0, Math.min(start + by, Math.floor((duration - 1e-9) / PAGE) * PAGE))));
    keys.push(
      { keys: [","], does: "Earlier part of the recording", run: () => turn(-PAGE) },
      { keys: ["."], does: "Later part of the recording", run: () => turn(PAGE) },
    );
  }
  useKeys(keys);

  return (
    <section className={classes.traces} aria-label="Traces">
      <EcgToolbar
        view={view}
        set={set}
        names={names}
        handle={handle}
        ratio={ratio}
        trueScale={ruler.checked}
        measuring={measuring}
        onMeasuring={setMeasuring}
        start={start}
        duration={duration}
        onStart={setStart}
        groups={waveform.data?.other_groups.map((group) => group.label || group.kind) ?? []}
        group={groupIndex}
        onGroup={(group) => {
          setStart(s(0));
          setGroupIndex(group);
        }}
        panel={panel}
        onPanel={onPanel}
      />
      {waveform.isPending ? (
        <div className={classes.blank}>
          <Loading what="traces" />
        </div>
      ) : waveform.isError && waveform.data === undefined ? (
        <Failed what="traces" failure={waveform.error} retry={() => void waveform.refetch()} />
      ) : signals === undefined ? (
        <Failed what="traces" failure={decoded?.failure} retry={() => void waveform.refetch()} />
      ) : (
        <EcgView
          ref={handle}
          signals={signals}
          layout={view.layout}
          speed={view.speed}
          gain={view.gain}
          order={view.order}
          lead={view.lead}
          start={start}
          simultaneous={groupIndex !== undefined}
          evidence={groupIndex === undefined ? evidence : undefined}
          beat={beat}
          measuring={measuring}
          scale={ruler.scale}
          label={`ECG, ${names.length} leads, ${view.speed} mm/s, ${view.gain} mm/mV, ${filtersText(signals.leads.map(({ filters }) => filters))}. Arrow keys move the paper, plus and minus zoom.`}
          onScale={setRatio}
          onLead={(lead) =>
            lead === undefined ? set({ layout: lastLayout.current }) : set({ layout: "single", lead })
          }
          onSwipe={stepLead}
        />
      )}
    </section>
  );
}

/** The recordings above and below this one in the worklist as it is filtered now. */
function useNeighbors(id: string): { before: string | undefined; after: string | undefined } {
  const { filter } = useMemory();
  const list = useInfiniteQuery({
    ...queries.worklist(filter),
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });
  const ids = list.data?.pages.flatMap((page) => page.rows.map((row) => row.recording_id)) ?? [];
  const at = ids.indexOf(id);
  const atEnd = at >= 0 && at >= ids.length - 2;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  useEffect(() => {
    if (atEnd && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [atEnd, hasNextPage, isFetchingNextPage, fetchNextPage]);
  useEffect(() => remember({ selected: id }), [id]);
  if (at < 0) return { before: undefined, after: ids[0] };
  return { before: ids[at - 1], after: ids[at + 1] };
}
