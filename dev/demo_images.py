"""Draws the pictures of the demonstration data into demo/images: labels and two sketches. Run by hand, they are shipped."""
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parent.parent / 'demo' / 'images'
FONTS = Path('/usr/share/fonts/truetype/dejavu')
BLACK, WHITE = (20, 20, 20), (255, 255, 255)


def font(size, bold=False):
    return ImageFont.truetype(str(FONTS / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), size)


def save(image, name):
    image.quantize(32).save(FOLDER / name, optimize=True)


def text(draw, x, y, lines, size=15, bold=False, fill=BLACK, gap=5):
    for line in lines:
        draw.text((x, y), line, font=font(size, bold), fill=fill)
        y += size + gap
    return y


def bars(draw, x, y, code, height=54):
    """Something that looks like a bar code; it is none."""
    for digit in code:
        for bit in f'{int(digit):04b}1':
            if bit == '1':
                draw.rectangle((x, y, x + 1, y + height), fill=BLACK)
            x += 3
    return x


def panel(draw, x, y, width, title, rows, footer):
    """Supplement Facts or Drug Facts: a box with rows between lines."""
    top = y
    draw.text((x + 8, y + 4), title, font=font(26, True), fill=BLACK)
    y += 40
    for left, right, rule in rows:
        draw.line((x, y, x + width, y), fill=BLACK, width=rule)
        draw.text((x + 8, y + rule + 2), left, font=font(14, rule > 2), fill=BLACK)
        if right:
            draw.text((x + width - 8 - draw.textlength(right, font=font(14, True)), y + rule + 2), right, font=font(14, True),
                      fill=BLACK)
        y += 24 + rule
    draw.line((x, y, x + width, y), fill=BLACK, width=4)
    y = text(draw, x + 8, y + 8, footer, 12, gap=4)
    draw.rectangle((x, top, x + width, y + 4), outline=BLACK, width=2)


def label(name, color, brand, title, lines, facts, code, coding="LOT        EXP"):
    image = Image.new('RGB', (1100, 420), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1099, 419), outline=BLACK)
    draw.rectangle((0, 0, 620, 96), fill=color)
    text(draw, 24, 20, [brand], 20, True, WHITE)
    text(draw, 24, 50, [title], 30, True, WHITE)
    y = text(draw, 24, 116, lines[:2], 22, True)
    text(draw, 24, y + 8, lines[2:], 14)
    draw.rectangle((24, 338, 330, 398), outline=BLACK)
    text(draw, 34, 346, [coding, "(printed here)"], 14)
    bars(draw, 370, 338, code)
    text(draw, 370, 396, [code], 12)
    panel(draw, 650, 16, 430, *facts)
    save(image, name)


def supplement(count):
    label(
        f'label_vitamin_c_{count}.png', (196, 88, 20), "LAKESIDE NUTRITION", "Vitamin C 500 mg",
        ["Dietary Supplement", f"{count} Tablets", "Supports the immune system.*   Antioxidant.*",
         "Suggested use: adults take one tablet daily with a meal.",
         "Keep out of reach of children. Store below 77 °F (25 °C), tightly closed.",
         "*This statement has not been evaluated by the Food and Drug Administration.",
         "This product is not intended to diagnose, treat, cure, or prevent any disease.",
         "Made by Lakeside Nutrition, Springfield. Questions: 1-555-0100"],
        ("Supplement Facts", [
            ("Serving Size 1 Tablet", "", 1), (f"Servings Per Container {count}", "", 1), ("Amount Per Serving",
                                                                                           "% Daily Value", 6),
            ("Vitamin C (as ascorbic acid)  500 mg", "556%", 1)],
         ["Other ingredients: Microcrystalline cellulose, hypromellose,",
          "croscarmellose sodium, stearic acid, magnesium stearate,",
          "silicon dioxide, titanium dioxide (color), glycerin."]), f'85550100{count:04}')


def loading_order():
    image = Image.new('RGB', (700, 420), WHITE)
    draw = ImageDraw.Draw(image)
    draw.polygon([(60, 60), (190, 60), (350, 330), (510, 60), (640, 60), (430, 390), (270, 390)], fill=(232, 236, 240),
                 outline=BLACK)
    layers = [("4  other half of the ascorbic acid", 80, (242, 200, 120)), ("3  cellulose, bag 2 of 2", 150, (236, 236, 220)),
              ("2  sieved premix", 220, (214, 226, 238)), ("1  half of the ascorbic acid", 290, (242, 200, 120))]
    for words, y, color in layers:
        draw.rectangle((185, y, 525, y + 46), fill=color, outline=BLACK)
        draw.text((199, y + 13), words, font=font(16, True), fill=BLACK)
    draw.text((16, 12), "VC500-A: order of loading, from below", font=font(18, True), fill=BLACK)
    save(image, 'loading_order.png')


def kit_layout():
    image = Image.new('RGB', (700, 440), WHITE)
    draw = ImageDraw.Draw(image)
    draw.text((16, 12), "DWG-2301-01 rev. C, sheet 2: layout of the tray", font=font(18, True), fill=BLACK)
    draw.rounded_rectangle((40, 50, 660, 420), 24, outline=BLACK, width=3, fill=(238, 244, 248))
    for box, words, color in [
            ((60, 70, 400, 300), ["5 gauze swabs 10 × 10 cm", "1 dressing pad on top,", "wound side down"], (255, 255, 255)),
            ((60, 316, 640, 400), ["2 forceps, blue, tips to the left"], (198, 220, 244)),
            ((420, 70, 640, 190), ["1 pair of gloves,", "size M, cuffs outwards"], (220, 236, 220)),
            ((420, 206, 640, 300), ["1 waste bag, under", "1 drape 45 × 75 cm"], (236, 228, 240))]:
        draw.rounded_rectangle(box, 12, fill=color, outline=BLACK)
        text(draw, box[0] + 16, box[1] + 16, words, 17)
    save(image, 'kit_layout.png')


def main():
    FOLDER.mkdir(exist_ok=True)
    supplement(60)
    supplement(120)
    label(
        'label_ibuprofen_100.png', (24, 72, 140), "CEDAR POINT PHARMA", "Ibuprofen Tablets USP, 200 mg",
        ["Pain Reliever / Fever Reducer (NSAID)", "100 Film-Coated Tablets", "NDC 55555-210-10",
         "Store at 20 to 25 °C (68 to 77 °F). Avoid high humidity.",
         "Do not use if the printed seal under the cap is torn or missing.",
         "Keep out of reach of children.", "Distributed by Cedar Point Pharma, Springfield"],
        ("Drug Facts", [
            ("Active ingredient (in each tablet)", "Purpose", 4), ("Ibuprofen 200 mg (NSAID)*", "Pain reliever", 1),
            ("Uses: relieves minor aches, reduces fever", "", 4), ("Allergy alert, stomach bleeding warning: see carton", "",
                                                                   1),
            ("Directions: 1 tablet every 4 to 6 hours", "max. 6 in 24 h", 1)],
         ["*nonsteroidal anti-inflammatory drug", "Inactive ingredients: microcrystalline cellulose, starch, povidone,",
          "croscarmellose sodium, silicon dioxide, stearic acid,",
          "magnesium stearate, hypromellose, titanium dioxide, glycerin."]), '355555210104')
    label(
        'label_paracetamol_100.png', (150, 30, 70), "CEDAR POINT PHARMA", "Paracetamol 24 mg/ml oral solution",
        ["120 mg / 5 ml", "100 ml", "For oral use. Read the package leaflet before use.",
         "Keep out of the sight and reach of children.",
         "Store below 25 °C. Shelf life after first opening: 3 months.", "Marketing authorisation: EU/1/00/000/001",
         "Manufacturer: Cedar Point Pharma, Springfield"],
        ("Composition", [("1 ml contains", "", 4), ("Paracetamol", "24 mg", 1), ("Sorbitol (as dry substance)", "175 mg", 1),
                         ("Potassium sorbate", "1.5 mg", 1)],
         ["Other excipients: macrogol 400, glycerol, sucralose, citric acid,",
          "sodium citrate, strawberry flavour, purified water.",
          "Dosing: with the oral syringe, see leaflet."]), '868001122003', "LOT        EXP MM/YYYY")
    label(
        'label_dressing_kit.png', (40, 110, 96), "CEDAR POINT MEDICAL", "Sterile wound dressing kit",
        ["REF KIT2301   MD", "STERILE | EO     single use", "Do not re-sterilize. Do not use if the package is damaged.",
         "Keep dry. Keep away from sunlight. 5 to 30 °C.", "Instructions for use: see carton.",
         "(01)08681100023015 (17)      (10)",
         "Cedar Point Medical, Springfield"],
        ("Contents", [("Gauze swabs 10 × 10 cm, 8-ply", "5", 4), ("Absorbent dressing pad 10 × 20 cm", "1", 1), ("Forceps", "2",
                                                                                                                 1),
                      ("Drape 45 × 75 cm", "1", 1), ("Gloves, nitrile, M, pair", "1", 1), ("Waste bag", "1", 1)],
         ["Not made with natural rubber latex."]), '868110002301', "LOT        USE BY YYYY-MM-DD")
    loading_order()
    kit_layout()


if __name__ == '__main__':
    main()
