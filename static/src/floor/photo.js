// Photos of steps, of a size that a connection on the floor can bear.

import { _t } from "@web/core/l10n/translation";

/** Pixels of the longer side: enough to read a label, small enough to wait for a connection in the browser. */
const SIDE = 1600;
const LARGE = 1024 * 1024;
const SENT_AS_IS = ["image/jpeg", "image/png", "image/webp"];

function readUrl(blob) {
    return new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.onerror = () => reject(new Error(_t("The photo cannot be read; take it again.")));
        reader.readAsDataURL(blob);
    });
}

/** Return a photo as the server takes it; large ones, and formats of single makers, become a JPEG of readable size. */
export async function readPhoto(file) {
    let url = await readUrl(file);
    let name = file.name || "photo.jpg";
    if (file.size > LARGE || !SENT_AS_IS.includes(file.type)) {
        const image = new Image();
        image.src = url;
        try {
            await image.decode();
        } catch {
            throw new Error(_t("%s is not a photo that this browser can show.", name));
        }
        const scale = Math.min(1, SIDE / Math.max(image.naturalWidth, image.naturalHeight));
        const canvas = document.createElement("canvas");
        canvas.width = Math.round(image.naturalWidth * scale);
        canvas.height = Math.round(image.naturalHeight * scale);
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        url = canvas.toDataURL("image/jpeg", 0.85);
        name = `${name.replace(/\.[^.]*$/, "")}.jpg`;
    }
    return { url, name, data: url.slice(url.indexOf(",") + 1) };
}
