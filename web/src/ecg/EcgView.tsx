// ECG paper under a moving camera: paper and evidence on one canvas, traces on a second, the caliper on
// a third. The camera lives outside React, so that panning draws and renders nothing else.
import { useComputedColorScheme } from "@mantine/core";
import {
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { type Span, spanOf, spanText } from "./caliper";
import { drawCaliper, drawPaper, drawTraces, type Ink, type Surface } from "./draw";
import classes from "./EcgView.module.css";
import {
  type Camera,
  fitSheet,
  panBy,
  paperX,
  paperY,
  type Size,
  settle,
  xOf,
  yOf,
  zoomAt,
} from "./geometry";
import { type BeatSpan, type Evidence, litStretches } from "./highlight";
import type { LeadOrder } from "./leads";
import { type Layout, type Sheet, sheetOf, widthOf } from "./sheet";
import {
  type Gain,
  type Millimeters,
  mm,
  type Pixels,
  type PixelsPerMillimeter,
  px,
  type Seconds,
  type Speed,
  s,
} from "./units";
import type { Signals } from "./waveform";

export interface EcgHandle {
  zoom(factor: number): void;
  fit(): void;
  /** True size on this screen. */
  trueSize(): void;
  clearCaliper(): void;
}

interface EcgViewProps {
  readonly signals: Signals;
  readonly layout: Layout;
  readonly speed: Speed;
  readonly gain: Gain;
  readonly order: LeadOrder;
  readonly lead: string;
  readonly start: Seconds;
  readonly simultaneous: boolean;
  readonly evidence: Evidence | undefined;
  readonly beat: BeatSpan;
  readonly measuring: boolean;
  /** What a millimeter of this screen is. */
  readonly scale: PixelsPerMillimeter;
  readonly label: string;
  readonly ref?: Ref<EcgHandle>;
  readonly onScale: (ratio: number) => void;
  readonly onLead: (lead: string | undefined) => void;
  readonly onSwipe: (by: 1 | -1) => void;
}

/** A narrow window shows this much paper across, because a whole page would be too small to read. */
const NARROW = { window_px: 640, shown_mm: 120, line_s: 2.5 } as const;
/** A lead alone is broken into lines, so that it is seen larger than among the twelve. */
const WIDE_LINE_S = 5;
const KEY_PAN_PX = 60;
const SWIPE_PX = 50;

interface Point {
  readonly x: Pixels;
  readonly y: Pixels;
}
interface PaperSpan {
  readonly from: { x: Millimeters; y: Millimeters };
  readonly to: { x: Millimeters; y: Millimeters };
}

export function EcgView(props: EcgViewProps) {
  const { signals, layout, speed, gain, order, lead, start, simultaneous, evidence, beat, measuring, scale } =
    props;
  const frame = useRef<HTMLDivElement>(null);
  const paper = useRef<HTMLCanvasElement>(null);
  const traces = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<Size>({ width: px(0), height: px(0) });
  const [span, setSpan] = useState<Span | undefined>(undefined);
  const scheme = useComputedColorScheme();
  const narrow = size.width > 0 && size.width <= NARROW.window_px;

  useLayoutEffect(() => {
    const box = frame.current;
    if (box === null) return;
    const look = () => setSize({ width: px(box.clientWidth), height: px(box.clientHeight) });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const sheet = useMemo((): Sheet => {
    const options = {
      layout,
      leads: signals.leads.map(({ name }) => name),
      order,
      duration: signals.duration,
      start,
      speed,
      gain,
      lead,
      line: s(narrow ? NARROW.line_s : WIDE_LINE_S),
      simultaneous,
    };
    const width = widthOf(options);
    const shown = narrow ? Math.min(width, NARROW.shown_mm) : width;
    const room = size.width > 0 ? mm((size.height / size.width) * shown) : mm(100);
    return sheetOf({ ...options, room });
  }, [layout, signals, order, start, speed, gain, lead, simultaneous, narrow, size]);

  const ink = useMemo(() => inkOf(scheme), [scheme]);
  const lit = useMemo(
    () => (evidence === undefined ? [] : litStretches(sheet, evidence, beat, signals.rate, speed)),
    [sheet, evidence, beat, signals.rate, speed],
  );

  // The camera, and whether the reader has moved it: until then the sheet is fitted to the window.
  const camera = useRef<Camera | undefined>(undefined);
  const moved = useRef(false);
  const caliper = useRef<PaperSpan | undefined>(undefined);
  const { onScale, onLead, onSwipe } = props;

  const draw = useRef<() => void>(() => {});
  const asked = useRef(0);
  const askDraw = useCallback(() => {
    if (asked.current !== 0) return;
    asked.current = requestAnimationFrame(() => {
      asked.current = 0;
      draw.current();
    });
  }, []);
  useEffect(() => () => cancelAnimationFrame(asked.current), []);

  const fitted = useCallback((): Camera => {
    if (!narrow || layout === "single") return fitSheet(sheet, size);
    const wide = { width: mm(Math.min(sheet.width, NARROW.shown_mm)), height: sheet.height };
    return settle({ ...fitSheet(wide, size, "width"), left: mm(0), top: mm(0) }, sheet, size);
  }, [sheet, size, narrow, layout]);

  useLayoutEffect(() => {
    if (size.width === 0 || size.height === 0) return;
    for (const canvas of [paper.current, traces.current, overlay.current]) {
      if (canvas === null) continue;
      const [width, height] = [Math.round(size.width * ratio()), Math.round(size.height * ratio())];
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
    camera.current =
      moved.current && camera.current !== undefined ? settle(camera.current, sheet, size) : fitted();
    draw.current = () => {
      const at = camera.current;
      const [back, front, top] = [
        surfaceOf(paper.current),
        surfaceOf(traces.current),
        surfaceOf(overlay.current),
      ];
      if (at === undefined || back === undefined || front === undefined || top === undefined) return;
      drawPaper(back, at, ink, lit);
      drawTraces(front, at, ink, { sheet, signals, speed, gain });
      top.context.clearRect(0, 0, top.width, top.height);
      if (caliper.current !== undefined)
        drawCaliper(top, at, ink.caliper, caliper.current.from, caliper.current.to);
      onScale(at.scale / scale);
    };
    // At once, so that the first picture is there with the first paint.
    draw.current();
  }, [sheet, signals, size, ink, lit, speed, gain, scale, fitted, onScale]);

  // Canvas text drawn before the font has come would stay in the other font.
  useEffect(() => {
    void document.fonts.ready.then(askDraw);
  }, [askDraw]);

  const move = useCallback(
    (next: Camera) => {
      moved.current = true;
      camera.current = settle(next, sheet, size);
      askDraw();
    },
    [sheet, size, askDraw],
  );
  const middle = useCallback((): Point => ({ x: px(size.width / 2), y: px(size.height / 2) }), [size]);

  useImperativeHandle(
    props.ref,
    () => ({
      zoom: (factor) => {
        if (camera.current !== undefined) move(zoomAt(camera.current, factor, middle()));
      },
      fit: () => {
        moved.current = false;
        camera.current = fitted();
        askDraw();
      },
      trueSize: () => {
        if (camera.current !== undefined)
          move(zoomAt(camera.current, scale / camera.current.scale, { x: px(0), y: px(0) }));
      },
      clearCaliper: () => {
        caliper.current = undefined;
        setSpan(undefined);
        askDraw();
      },
    }),
    [move, middle, fitted, askDraw, scale],
  );

  // A span measured on another sheet means nothing on this one.
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what makes it another sheet
  useEffect(() => {
    caliper.current = undefined;
    setSpan(undefined);
    askDraw();
  }, [layout, speed, gain, lead, order, start, measuring, askDraw]);

  // Wheel listeners of React are passive; this one must keep the page from zooming.
  useEffect(() => {
    const box = frame.current;
    if (box === null) return;
    const onWheel = (event: WheelEvent) => {
      const at = camera.current;
      if (at === undefined) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) {
        const rect = box.getBoundingClientRect();
        const point = { x: px(event.clientX - rect.left), y: px(event.clientY - rect.top) };
        move(zoomAt(at, Math.exp(-event.deltaY * 0.004), point));
      } else if (event.shiftKey) move(panBy(at, px(-event.deltaY), px(0)));
      else move(panBy(at, px(-event.deltaX), px(-event.deltaY)));
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    return () => box.removeEventListener("wheel", onWheel);
  }, [move]);

  const pointers = useRef(new Map<number, Point>());
  const pressed = useRef<Point | undefined>(undefined);
  const pointOf = (event: React.PointerEvent | React.MouseEvent): Point => {
    const rect = event.currentTarget.getBoundingClientRect();
    return { x: px(event.clientX - rect.left), y: px(event.clientY - rect.top) };
  };

  const onPointerDown = (event: React.PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const point = pointOf(event);
    pointers.current.set(event.pointerId, point);
    pressed.current = pointers.current.size === 1 ? point : undefined;
    if (measuring && camera.current !== undefined && pointers.current.size === 1) {
      const from = { x: paperX(point.x, camera.current), y: paperY(point.y, camera.current) };
      caliper.current = { from, to: from };
    }
  };

  const onPointerMove = (event: React.PointerEvent<HTMLDivElement>) => {
    const before = pointers.current.get(event.pointerId);
    const at = camera.current;
    if (before === undefined || at === undefined) return;
    const point = pointOf(event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, point);
    if (other !== undefined) {
      const apart = (a: Point, b: Point) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
      const center = { x: px((point.x + other.x) / 2), y: px((point.y + other.y) / 2) };
      const panned = panBy(at, px((point.x - before.x) / 2), px((point.y - before.y) / 2));
      move(zoomAt(panned, apart(point, other) / apart(before, other), center));
    } else if (measuring && caliper.current !== undefined) {
      const to = { x: paperX(point.x, at), y: paperY(point.y, at) };
      caliper.current = { from: caliper.current.from, to };
      setSpan(spanOf(caliper.current.from, to, speed, gain));
      askDraw();
    } else {
      move(panBy(at, px(point.x - before.x), px(point.y - before.y)));
    }
  };

  const onPointerUp = (event: React.PointerEvent<HTMLDivElement>) => {
    const from = pressed.current;
    pointers.current.delete(event.pointerId);
    pressed.current = undefined;
    const at = camera.current;
    if (
      from === undefined ||
      at === undefined ||
      event.pointerType !== "touch" ||
      measuring ||
      layout !== "single"
    )
      return;
    const point = pointOf(event);
    const whole = at.scale * sheet.width <= size.width + 1;
    if (
      whole &&
      Math.abs(point.x - from.x) > SWIPE_PX &&
      Math.abs(point.x - from.x) > 2 * Math.abs(point.y - from.y)
    ) {
      onSwipe(point.x < from.x ? 1 : -1);
    }
  };

  const onDoubleClick = (event: React.MouseEvent<HTMLDivElement>) => {
    const at = camera.current;
    if (at === undefined || measuring) return;
    if (layout === "single") {
      onLead(undefined);
      return;
    }
    const point = pointOf(event);
    const [x, y] = [paperX(point.x, at), paperY(point.y, at)];
    const strip = sheet.strips.find(
      (candidate) =>
        x >= candidate.x &&
        x < candidate.x + candidate.width &&
        y >= candidate.top &&
        y < candidate.top + candidate.height,
    );
    if (strip?.place.index !== undefined) onLead(strip.place.label);
  };

  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>) => {
    const by = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const at = camera.current;
    if (by === undefined || at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(panBy(at, px((by[0] ?? 0) * KEY_PAN_PX), px((by[1] ?? 0) * KEY_PAN_PX)));
  };

  const at = camera.current;
  const tag =
    span === undefined || caliper.current === undefined || at === undefined
      ? undefined
      : { left: xOf(caliper.current.to.x, at), top: yOf(caliper.current.to.y, at) };
  return (
    <div
      ref={frame}
      className={classes.frame}
      data-measuring={measuring || undefined}
      data-inset-focus
      role="application"
      aria-roledescription="ECG tracing"
      aria-label={props.label}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onDoubleClick={onDoubleClick}
      onKeyDown={onKeyDown}
    >
      <canvas ref={paper} data-layer="paper" />
      <canvas ref={traces} data-layer="traces" />
      <canvas ref={overlay} data-layer="overlay" />
      {tag !== undefined && span !== undefined && (
        <output
          className={classes.span}
          style={{
            left: Math.min(Math.max(tag.left + 8, 4), Math.max(4, size.width - 230)),
            top: Math.min(Math.max(tag.top - 36, 4), Math.max(4, size.height - 36)),
          }}
        >
          {spanText(span)}
        </output>
      )}
    </div>
  );
}

// A phone with more than three device pixels to one is not sharper for it, only slower.
const ratio = (): number => Math.min(3, window.devicePixelRatio || 1);

function surfaceOf(canvas: HTMLCanvasElement | null): Surface | undefined {
  const context = canvas?.getContext("2d");
  if (canvas === null || context == null) return undefined;
  return { context, width: canvas.width, height: canvas.height, ratio: ratio() };
}

/** The scheme's colors, from the one place where they are written down. */
function inkOf(_scheme: string): Ink & { readonly caliper: string } {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    paper: color("--paper"),
    fine: color("--paper-fine"),
    thick: color("--paper-thick"),
    trace: color("--trace"),
    label: color("--trace-label"),
    faint: color("--trace-faint"),
    lit: color("--lit"),
    caliper: color("--caliper"),
  };
}
