// Settings of this screen and facts of this session. The ruler check makes 1:1 mean millimeters.
import { Button, SegmentedControl, Slider, useMantineColorScheme } from "@mantine/core";
import { useState } from "react";
import { keepRuler, useRuler } from "../../app/ruler";
import { useSession } from "../../app/session";
import { instantText } from "../../app/time";
import { roleWords } from "../../app/words";
import { NOMINAL_SCALE, pxPerMm } from "../../ecg/units";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import classes from "./Settings.module.css";

// ISO/IEC 7810 ID-1: a bank card is 85.60 mm wide, and everybody has one at hand.
const CARD = { width_mm: 85.6, height_mm: 53.98 } as const;

export default function SettingsPage() {
  const { session } = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Page title="Settings">
      <section className={classes.box} aria-labelledby="ruler">
        <h2 id="ruler">Ruler check</h2>
        <RulerCheck />
      </section>
      <section className={classes.box} aria-labelledby="colors">
        <h2 id="colors">Colors</h2>
        <SegmentedControl
          aria-label="Colors"
          value={colorScheme}
          onChange={(value) => setColorScheme(value as "auto" | "light" | "dark")}
          data={[
            { value: "auto", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
        <p className="quiet">
          Holds until the page is reloaded; this browser keeps nothing but the ruler’s number.
        </p>
      </section>
      <section className={classes.box} aria-labelledby="session">
        <h2 id="session">Session</h2>
        <dl className={classes.facts}>
          <dt>Signed in as</dt>
          <dd>
            {session.user.display_name} ({session.user.user_name})
          </dd>
          <dt>Roles</dt>
          <dd>{roleWords(session.user.roles)}</dd>
          <dt>Organization</dt>
          <dd>{session.organization.name}</dd>
          <dt>Locks after</dt>
          <dd>{Math.round(session.idle_timeout_s / 60)} min without use</dd>
          <dt>Ends at the latest</dt>
          <dd>{instantText(session.expires_at).full}</dd>
          <dt>Software</dt>
          <dd>
            Precordia {session.software_version}
            {session.demo ? ", demo" : ""}
          </dd>
        </dl>
      </section>
    </Page>
  );
}

function RulerCheck() {
  const ruler = useRuler();
  const [scale, setScale] = useState<number>(ruler.scale);
  const changed = Math.abs(scale - ruler.scale) > 1e-6;
  const step = (by: number) =>
    setScale((before) => Math.min(12, Math.max(2, Math.round((before + by) * 1000) / 1000)));
  return (
    <>
      <p>
        Hold a bank card against the screen and move the slider until the frame has its width. Or measure the
        line with a ruler: it should be 100 mm. Keep the browser’s own zoom as you will use it.
      </p>
      <div className={classes.stage}>
        <div
          className={classes.card}
          style={{ width: CARD.width_mm * scale, height: CARD.height_mm * scale }}
          role="img"
          aria-label="A frame that should have the size of a bank card, 85.6 by 54 mm"
        >
          85.6 mm
        </div>
        <div className={classes.line} style={{ width: 100 * scale }} aria-hidden="true">
          100 mm
        </div>
      </div>
      <div className={classes.slide}>
        <Button variant="default" size="compact-sm" onClick={() => step(-0.01)} aria-label="Slightly smaller">
          −
        </Button>
        <Slider
          className={classes.slider}
          thumbLabel="Pixels to the millimeter"
          min={2}
          max={12}
          step={0.01}
          value={scale}
          onChange={setScale}
          label={null}
        />
        <Button variant="default" size="compact-sm" onClick={() => step(0.01)} aria-label="Slightly larger">
          +
        </Button>
        <output className="nowrap">{scale.toFixed(2)} px/mm</output>
      </div>
      <div className={classes.steps}>
        <Button disabled={!changed && ruler.checked} onClick={() => keepRuler(pxPerMm(scale))}>
          This is right
        </Button>
        <Button
          variant="default"
          disabled={!ruler.checked}
          onClick={() => {
            keepRuler(undefined);
            setScale(NOMINAL_SCALE);
          }}
        >
          Forget the check
        </Button>
      </div>
      {ruler.checked ? (
        <Notice kind="good">
          Checked: {ruler.scale.toFixed(2)} px/mm. 1:1 on the traces is true size on this screen.
        </Notice>
      ) : (
        <Notice kind="note">
          Not checked. 1:1 assumes 96 pixels to the inch, which few screens have. The grid and the traces
          always agree with each other; only their size on the glass is uncertain.
        </Notice>
      )}
    </>
  );
}
