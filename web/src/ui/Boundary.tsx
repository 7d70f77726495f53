// A page that fails while it draws is a failed state of that page, never a blank window.
import { Component, type ReactNode } from "react";
import { Failed } from "./States";

interface BoundaryProps {
  /** What was asked for; another one is another try. */
  readonly place: string;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly failure: unknown;
  readonly place: string;
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { failure: undefined, place: this.props.place };

  static getDerivedStateFromError(failure: unknown): Partial<BoundaryState> {
    return { failure };
  }

  static getDerivedStateFromProps(props: BoundaryProps, state: BoundaryState): BoundaryState | null {
    return props.place === state.place ? null : { failure: undefined, place: props.place };
  }

  override render(): ReactNode {
    if (this.state.failure === undefined) return this.props.children;
    return (
      <Failed what="page" failure={this.state.failure} retry={() => this.setState({ failure: undefined })} />
    );
  }
}
