// Keyboard shortcuts. A page says which keys it answers; `?` shows those of the page that is open.
// Single keys can be switched off (WCAG 2.1.4), and never act while somebody types or a dialog is open.
import { Kbd, Modal, Switch } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { remember, useMemory } from "../app/memory";
import classes from "./keys.module.css";

export interface KeyBinding {
  /** `KeyboardEvent.key` values that do the same. */
  readonly keys: readonly string[];
  readonly does: string;
  readonly run: () => void;
}

const open = new Set<{ readonly current: readonly KeyBinding[] }>();

export function useKeys(bindings: readonly KeyBinding[]): void {
  const { singleKeys } = useMemory();
  const latest = useRef(bindings);
  useEffect(() => {
    latest.current = bindings;
  });
  useEffect(() => {
    open.add(latest);
    const onKey = (event: KeyboardEvent) => {
      if (!singleKeys || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector('[role="dialog"],[role="menu"]') !== null) return;
      const binding = latest.current.find(({ keys }) => keys.includes(event.key));
      if (binding === undefined) return;
      event.preventDefault();
      binding.run();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      open.delete(latest);
      document.removeEventListener("keydown", onKey);
    };
  }, [singleKeys]);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "file"].includes(target.type);
}

const KEY_WORDS: Record<string, string> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  " ": "Space",
};

export function KeysDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { singleKeys } = useMemory();
  const [shown, setShown] = useState<readonly KeyBinding[]>([]);
  useEffect(() => {
    if (opened) setShown([...open].flatMap((bindings) => bindings.current));
  }, [opened]);
  return (
    <Modal opened={opened} onClose={onClose} title="Keys on this page">
      <dl className={classes.keys}>
        {shown.map(({ keys, does }) => (
          <div key={does} className={classes.row}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key}>{KEY_WORDS[key] ?? key}</Kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <Switch
        mt="md"
        label="Single-key shortcuts"
        description="Switch off if you use speech input. It lasts until you reload the page."
        checked={singleKeys}
        onChange={(event) => remember({ singleKeys: event.currentTarget.checked })}
      />
    </Modal>
  );
}
