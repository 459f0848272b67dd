// The action that makes a bundle and shows what goes to its receiver on another way.

import { Component } from "@odoo/owl";
import { CopyButton } from "@web/core/copy_button/copy_button";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";

/** What goes to the receiver of a bundle on another way. */
export class BundleDialog extends Component {
    static template = "mrp_mmr.BundleDialog";
    static components = { CopyButton, Dialog };
    static props = { name: String, digest: String, close: Function };

    get title() {
        return _t("Complete Copy");
    }

    get copyText() {
        return _t("Copy");
    }
}

/** Download the complete copy of a record, then show the digest of its manifest. */
registry.category("actions").add("mrp_mmr.bundle", async (env, action) => {
    const { model, id, prints = true } = action.params;
    env.services.ui.block({ message: _t("The complete copy is being made …") });
    try {
        await download({ url: `/mrp_mmr/bundle/${model}/${id}.zip`, data: { prints: prints ? "1" : "0" } });
    } finally {
        env.services.ui.unblock();
    }
    const bundle = await env.services.orm.call(model, "get_last_bundle", [[id]]);
    env.services.dialog.add(BundleDialog, bundle);
});
