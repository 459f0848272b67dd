// Shows the differences between two revisions.

import { Component, useState } from "@odoo/owl";

/**
 * The differences between two revisions, as the server prepared them for people
 * (mrp.mmr.revision `_prepare_redline`): groups that fold, items, and fields before and after.
 */
export class Redline extends Component {
    static template = "mrp_mmr.Redline";
    static props = { redline: Object };

    setup() {
        this.state = useState({ folded: {} });
    }

    toggle(key) {
        this.state.folded[key] = !this.state.folded[key];
    }
}
