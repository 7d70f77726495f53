// The few pictures of the workspace, drawn on a 16 px grid with one line width. Decorative: the word
// beside an icon, or the label of its button, says what it is.
import type { ReactNode } from "react";

const icon = (drawing: ReactNode) =>
  function Icon({ size = 16 }: { size?: number }) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {drawing}
      </svg>
    );
  };

export const ListIcon = icon(<path d="M2.5 4h11M2.5 8h11M2.5 12h11" />);
export const UploadIcon = icon(<path d="M8 10.5v-8M4.8 5.4 8 2.2l3.2 3.2M2.5 10.5v3h11v-3" />);
export const InboxIcon = icon(<path d="M2 9.5 4 3h8l2 6.5v4H2zM2 9.5h3.5l1 2h3l1-2H14" />);
export const PersonIcon = icon(
  <>
    <circle cx="8" cy="5" r="2.6" />
    <path d="M2.8 14c.6-3 2.6-4.4 5.2-4.4s4.6 1.4 5.2 4.4" />
  </>,
);
export const MoreIcon = icon(
  <>
    <circle cx="3.2" cy="8" r=".6" />
    <circle cx="8" cy="8" r=".6" />
    <circle cx="12.8" cy="8" r=".6" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4.2" />
    <path d="m10.2 10.2 3.3 3.3" />
  </>,
);
export const CloseIcon = icon(<path d="m3.5 3.5 9 9M12.5 3.5l-9 9" />);
export const LeftIcon = icon(<path d="M10 3 5 8l5 5" />);
export const RightIcon = icon(<path d="m6 3 5 5-5 5" />);
export const UpIcon = icon(<path d="M8 13V3M3.8 7.2 8 3l4.2 4.2" />);
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />);
export const MinusIcon = icon(<path d="M3 8h10" />);
export const DownloadIcon = icon(<path d="M8 2.5v8M4.8 7.4 8 10.6l3.2-3.2M2.5 13.5h11" />);
export const CaliperIcon = icon(<path d="M3.5 2v12M12.5 2v12M3.5 8h9M5.5 6l-2 2 2 2M10.5 6l2 2-2 2" />);
export const PanelIcon = icon(<path d="M2 3h12v10H2zM10 3v10" />);
export const GlassIcon = icon(<path d="M8 1.8 14.5 13.5h-13zM8 6v3.5M8 11.5v.1" />);
export const CheckIcon = icon(<path d="m3 8.5 3.2 3.2L13 4.5" />);
export const LockIcon = icon(<path d="M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2" />);
