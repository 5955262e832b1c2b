import { Component, type ReactNode } from "react";
import { ErrorState } from "#kit/states.tsx";
import { w } from "./words.ts";

/** A defect of a page is told on the page, and the rest stays usable. */
export class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div style={{ padding: 16 }}>
        <ErrorState text={w.defect} details={error.stack ?? error.message} words={w.error} again={() => this.setState({ error: undefined })} />
      </div>
    );
  }
}
