// Dialogs of the shop floor: texts that are asked for, and confirmations.

import { Component, useRef, useState, useSubEnv } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { useAutofocus } from "@web/core/utils/hooks";

import { formatTime } from "./clock";
import { ENTRIES } from "./entries";

/** A text that is asked for; closing it answers nothing. */
export class AskDialog extends Component {
    static template = "mrp_mmr.FloorAskDialog";
    static components = { Dialog };
    static props = { title: String, body: { type: String, optional: true }, confirmLabel: String, confirm: Function, close: Function };

    setup() {
        this.state = useState({ text: "" });
        useAutofocus({ refName: "text", mobile: true });
    }

    onConfirm() {
        this.props.confirm(this.state.text.trim());
        this.props.close();
    }
}

/** An occurrence that nobody planned: title, what happened, how bad it is. */
export class ReportDialog extends Component {
    static template = "mrp_mmr.FloorReportDialog";
    static components = { Dialog };
    static props = { step: Object, report: Function, close: Function };

    setup() {
        this.state = useState({ title: "", text: "", severity: "minor", busy: false });
        useAutofocus({ refName: "title", mobile: true });
    }

    async onReport() {
        this.state.busy = true;
        const { title, text, severity } = this.state;
        const isDone = await this.props.report(title.trim(), text.trim(), severity);
        this.state.busy = false;
        if (isDone) {
            this.props.close();
        }
    }
}

/** An entry that needs a reason: the correction of another one, or one made after the step was closed. */
export class EntryDialog extends Component {
    static template = "mrp_mmr.FloorEntryDialog";
    static components = { Dialog };
    static props = {
        floor: Object, title: String, step: Object, kind: String, correcting: { type: Object, optional: true },
        record: Function, close: Function,
    };

    setup() {
        // The field for codes lies behind the dialog: what is typed here stays here.
        useSubEnv({ floor: { ...this.props.floor, redirectKey: null } });
        this.formatTime = formatTime;
        this.reason = useRef("reason");
        this.state = useState({ draft: {}, reason: "", busy: false, refused: "" });
        this.entryProps = {
            step: this.props.step,
            correcting: this.props.correcting,
            onChange: (draft) => (this.state.draft = draft),
            onSubmit: () => this.onEnter(),
            onRecord: (kind, vals, label) => (this.state.draft = { kind, vals, label, isReady: true }),
        };
    }

    get Entry() {
        return ENTRIES[this.props.kind];
    }

    get canRecord() {
        return Boolean(!this.state.busy && this.state.draft.isReady && this.state.reason.trim());
    }

    onEnter() {
        if (this.canRecord) {
            return this.onRecord();
        }
        this.reason.el.focus();
    }

    async onRecord() {
        this.state.busy = true;
        const answer = await this.props.record(this.state.draft, this.state.reason.trim());
        this.state.busy = false;
        if (answer.status === "refused") {
            this.state.refused = answer.error;
        } else {
            this.props.close();
        }
    }
}

/** One recorded value with what was said about it and what can be done. */
export class EntryInfoDialog extends Component {
    static template = "mrp_mmr.FloorEntryInfoDialog";
    static components = { Dialog };
    static props = { entry: Object, history: Array, comments: Array, actions: Array, close: Function };

    setup() {
        this.formatTime = formatTime;
    }

    async run(action) {
        this.props.close();
        await action.run();
    }
}

export class PictureDialog extends Component {
    static template = "mrp_mmr.FloorPictureDialog";
    static components = { Dialog };
    static props = { title: String, url: String, close: Function };
}

/** Which work centre this terminal stands at; its name in the record is that under which it was registered. */
export class TerminalDialog extends Component {
    static template = "mrp_mmr.FloorTerminalDialog";
    static components = { Dialog };
    static props = { workcenters: Array, workcenterId: [Number, Boolean], terminal: String, save: Function, close: Function };

    setup() {
        this.state = useState({ workcenterId: this.props.workcenterId });
    }

    onSave() {
        this.props.save(this.state.workcenterId);
        this.props.close();
    }
}
