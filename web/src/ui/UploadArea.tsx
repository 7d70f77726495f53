// Files may be dropped anywhere. The whole window says so while they hover, and nothing is opened in
// the browser by mistake when they miss.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { uploads } from "../api/uploads";
import { recall } from "../app/memory";
import { may } from "../app/permissions";
import { useSession } from "../app/session";
import { UploadIcon } from "./icons";
import classes from "./UploadArea.module.css";

export function UploadArea({ children }: { children: ReactNode }) {
  const { session } = useSession();
  const allowed = may(session, "upload");
  const [hovering, setHovering] = useState(false);
  const depth = useRef(0);
  const onlySite = session.sites.length === 1 ? session.sites[0]?.id : undefined;

  useEffect(() => {
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current += 1;
      setHovering(allowed);
    };
    const leave = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current = Math.max(0, depth.current - 1);
      if (depth.current === 0) setHovering(false);
    };
    const over = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = allowed ? "copy" : "none";
    };
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current = 0;
      setHovering(false);
      if (allowed) uploads.add([...(event.dataTransfer?.files ?? [])], recall().uploadSite ?? onlySite);
    };
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragleave", leave);
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
    };
  }, [allowed, onlySite]);

  return (
    <>
      {children}
      {allowed && (
        <input
          id="upload-files"
          hidden
          type="file"
          multiple
          aria-label="Files to upload"
          onChange={(event) => {
            uploads.add([...(event.currentTarget.files ?? [])], recall().uploadSite ?? onlySite);
            event.currentTarget.value = "";
          }}
        />
      )}
      {hovering && (
        <div className={classes.veil} aria-hidden="true">
          <div className={classes.words}>
            <UploadIcon size={32} />
            <p>Drop to upload to {session.organization.name}</p>
          </div>
        </div>
      )}
    </>
  );
}
