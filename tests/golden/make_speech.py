"""Makes what hibari's own Python does to awkward English, and to made spectra.

Writes tests/golden/speech/: english.json [{text, normalized, phonemes: [one a sentence], british}], words.json
[[word, phonemes, british phonemes]], numbers.json [[text, phonemes]], waves.json (of spectra that a formula
makes, the samples), versions.json. Needs hibari-tts, onnxruntime, numpy, scipy.
"""
import json
import os
import pathlib
import platform
import random
from importlib.metadata import version

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import numpy as np  # noqa: E402
from hibari import dsp  # noqa: E402
from hibari.g2p import G2P  # noqa: E402
from hibari.g2p.normalize import normalize  # noqa: E402
from hibari.tts import Hibari  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parent / "speech"
SEED = 11
SENTENCES = """Hello there.
Hello, world! How are you today?
The quick brown fox jumps over the lazy dog.
Please write down what you hear, and read it again tomorrow morning.
I read the book yesterday, and I will read it again.
She had to lead the team past a pipe of lead.
They live near the theatre, where live music plays.
He will record a new record this year.
The wind was too strong to wind the sail.
I object to that object on the desk.
We refuse to take out the refuse.
The dove dove into the bushes.
Please present the present to the present members.
Close the door, you are too close to it.
A tear fell down; did she tear the paper?
The bandage was wound around the wound.
The farm can produce produce.
He used to use a used car.
I used the tool that I am used to.
He could not desert his dessert in the desert.
The soldier decided to contract a contract.
Are you content with the content of the permit?
We permit no permit without an increase; do not increase it.
The invalid ticket belonged to an invalid.
The number of people got number and number.
Do you perfect the perfect plan in a minute or in minute steps?
The bass swam below the bass drum.
There was a row about how to row.
The buck does funny things when the does are present.
She will project the project onto the wall.
The suspect will suspect us.
I'm sure it isn't what they'd've said.
Don't, won't, can't, shouldn't, y'all and o'clock.
The dog's bone, the dogs' bones, James's and James' hats.
It's John's; isn't it Mary's?
Rock 'n' roll in the '90s.
'Tis the season, 'cause we're here.
She said, "Come in!" and then left.
"Why not?" he asked. “Because,” she said, “I can’t.”
A well-known, state-of-the-art, twenty-one-year-old design.
He paused... then went on -- slowly - and stopped.
This is a test—with dashes–of several kinds.
Visit https://example.com/a?b=c or write to me@example.org.
The file is at www.example.co.uk, not example.net.
and/or he/she input/output
Mr. Smith and Mrs. Jones met Dr. Brown at St. Mary's St. at noon.
Prof. Lee, Gen. Grant, Sen. Warren and Rev. King arrived.
J. K. Rowling wrote it. J.R.R. Tolkien did not.
The U.S. and the U.K. signed it. The F.B.I. did not.
He works for NASA, the FBI and IBM; she is at UNESCO.
Acme Inc. and Bros. Ltd. moved to 5th Ave. last Dec.
See fig. 3, vol. 2, pp. 10-15, no. 7, e.g. here, i.e. there, etc.
Approx. 5 km, est. 1990, dept. of work.
BTW, IMO it is TBD, aka unknown.
At 5:07 pm on 3/14/2024 we paid $9.99 for 12 eggs.
It is 10:30. It is 10:00. It is 00:05 or 23:59:01.
Meet at 7 a.m. or 7:15 p.m., not 19:45.
On 2024-02-29 it snowed; on 12/25/99 it did not.
January 5th, 2021 and Feb. 3 and 4 July and the 21st of May.
Sept 11 and 1 Jan 2000.
In 1905, 1999, 2000, 2005, 2010, 1066 and 800 it rained.
The 1990s and the '80s, the 60s.
It costs $5, $1, $1.50, $0.99, $1,234.56, £3.20, €100 and ¥500.
$1.2 billion, £3M, €4k, $5 million and Rs. 50 were lost.
That is 25¢, USD 40 or 50 EUR.
He ran 5 km in 20 min, at 15 km/h, up 300 m.
1 kg, 2 kg, 1.5 lbs, 6 ft, 7 oz, 100 mph and 3 GB at 2.4 GHz.
It was -5°C, 72°F or 30° outside.
50% of 3/4 is 1/2 of 1/10; 2/3 and 7/8 and 5/6.
Ranges: 10-20, 3 – 5, 1914-1918 and 100%.
Call 555-1234 or 800-555-1234 now.
1st, 2nd, 3rd, 4th, 11th, 12th, 13th, 21st, 22nd, 100th, 101st and 1,000th.
0, 1, 12, 20, 21, 99, 100, 101, 110, 999, 1000, 1001, 1100 and 12345.
1,000,000 and 1,234,567,890 and 1000000000000.
3.14, 0.5, .75, 2.50, 100.001 and 1.2.3.
-7, +8, 3 + 4 = 7, 5 - 2 < 9, 6 > 1, 2 * 3 and 8 / 4.
Version 2.0.1, R2D2, C3PO, B2B, 4x4, 5G, MP3, H2O and 747s.
COVID-19 and F-16, the A4 and I-95.
Room 101, flight 370, agent 007, 404 and 500.
Chapter IV, World War II, Henry VIII, Louis XIV, Super Bowl LVIII, King George V and Part XII.
The iPhone, eBay, YouTube, McDonald and O'Brien.
HELLO WORLD, THIS IS LOUD.
The AI of a PhD, CEO and DIY; TVs, CDs and URLs.
#1 and #hashtag, @user, C++ and C#, R&D, AT&T, Q&A.
~5, ±3, 2×3, 8÷2, x², y³, ½ cup, ¾ mile and 20 µm.
© 2024 Acme™ and Foo® §5 ¶2 • item → next
snake_case and camelCase and kebab-case_word.
[bracketed] (parenthetical) {braced} <angled> text.
To be, or not to be: that is the question; whether 'tis nobler...
The apple and the pear, a apple, an hour, the hour, the one, the use.
I want to eat, to run, to use, to go to, to.
In a box, in an hour, come in, in. In?
I am. I am here. AM radio at 7 AM.
By and by he went by.
A is a letter; so are B, C, D, E and I.
She is the best vs. the rest. Lakers vs Celtics.
He said to use the used book they used.
Xylophones, zephyrs, quixotic queues and rhythms.
Worcestershire, Leicester, colonel, choir and yacht.
Tomatoes, potatoes, heroes, pianos, boxes, churches and bushes.
Running, sitting, mimicking, picnicking, making, seeing, dyeing and waiting.
Walked, wanted, needed, played, kissed, hugged, waited, bottled and rated.
Babies, ladies, flies, ties, lies and dies.
Unbelievably, antidisestablishmentarianism, floccinaucinihilipilification.
Blorptastic glimworgs snozzled the frabjous Kwyjibo.
Zhang, Nguyen, Kowalski, Szczepański, Müller, García, Østergård and Łukasz.
naïve café résumé façade jalapeño Zürich São Paulo
Siobhán Ó Súilleabháin, Björk Guðmundsdóttir and Dvořák.
Grok, ChatGPT, PyTorch, OpenVINO, Kubernetes and PostgreSQL.
Netflixing, googled, tweeting, emojis, selfies and unfriended.
Penstock is a C++20 framework for inference pipelines.
The rain in Spain stays mainly in the plain.
How much wood would a woodchuck chuck?
She sells sea shells by the sea shore.
Peter Piper picked a peck of pickled peppers.
Though the tough cough and hiccough plough me through.
I scream, you scream, we all scream for ice cream!
Wow!!! Really??? Yes... No?! OK.
Um, well... er... hmm, uh-huh, shh!
Good-bye, so long; farewell: adieu.
Newlines and\ttabs   and    spaces.
He earned 1st place, 2 medals & $300.
The temperature rose by 2.5 degrees between 1990 and 2020.
Of 1,250 people 3 in 4 paid $9.99 each at 7:30 pm.
Dr. J. Smith, Ph.D., lives at 221B Baker St., Apt. 4.
Turn left on Main St. Then go to Mt. Rushmore and Ft. Worth.
I've been there since 9/11.
It's 9 o'clock. It's 12 noon. 24/7 service.
The ratio is 16:9 and 2:1.
Pi is about 3.14159265358979.
E = mc^2 and a^2 + b^2 = c^2.
https://github.com/user/repo is a link.
The CPU has 8 cores at 3.5 GHz and 16 GB of RAM.
50 Cent, 2Pac, U2, Blink-182 and Maroon 5.
Mon. Tue. Wed. Thurs. Fri. Sat. Sun.
the end
OK
yes
a
I
Yes, I do.
...
!
( )
"quoted"
'single'
don’t ‘quote’ “me”
emoji 🎉 here 😀 and there
日本語 and English
Привет world, Ελλάδα here
100% sure & 50/50
1/1/2000 and 31/12/1999 and 13/13/13
$ and £ alone
$5-$10 or 5-10%
[Penstock](/pˈɛnstˌɑk/) has a reading of its own.
The [kəˈnuː](bare) link has none.
word.Word and end.Next without space
a,b,c and 1,2,3
co-op, re-enter, X-ray, T-shirt, e-mail, vice-president
mother-in-law's jack-o'-lantern
the 3-year-old's 2nd-hand 5-star hotel
AI-powered, GPU-bound and CO2-free
1980s-style, mid-1990s, pre-2000
12am, 5pm, 10 a.m.
I'd, I'll, I've, you're, he's, we'd, they'll, who's, that's, let's
gonna, wanna, gotta, kinda, dunno, ain't
goin' and runnin' and talkin'
Y'all'd've come.
ASAP, FAQ, GIF, JPEG, NATO, LASER, ISBN
Ms. Lee, Jr., Sr., Esq.
Capt. Kirk, Lt. Uhura, Sgt. Pepper, Col. Mustard
$1 and £1 and €1 and 1¢
one-third, two-thirds, three-quarters
This costs 1,50 in Europe and 1.50 here.
a.m. p.m. A.D. B.C. e.g. i.e.""".split("\n")
WORDS = """abacus abscess acquiesce aisle almond amoeba analysis anemone apostrophe archive asthma awry bourgeois breadth bureau buoy
cache calm caramel cavalry chaos chic clothes cocoa colonel comfortable coup croissant cupboard debris debt draught ennui epitome
espresso facade February genre gauge ghost gist gnome haute heir height herb hors hyperbole indict island jalapeno knight
lasagna leopard library lieutenant macabre meringue mischievous mortgage muscle niche nuclear often onion paradigm phlegm pizza pneumonia
potpourri prelude psalm queue quinoa raspberry receipt recipe rendezvous rhetoric salmon schedule segue sherbet subtle sword thyme tongue tsunami
vegetable victuals Wednesday wharf xenon yacht zealous zucchini blog vlog podcast selfie crypto bitcoin emoji hashtag wifi
glorp snarfle quibbix zorblatt wibbly frumious mimsy borogove slithy gimble outgrabe vorpal manxome tulgey uffish whiffling
Reykjavik Kyiv Nairobi Beijing Xi'an Lviv Gdansk Tbilisi Ouagadougou Antananarivo Worcester Gloucester Edinburgh Arkansas Illinois
Hermione Daenerys Gandalf Chewbacca Skywalker Pikachu Zelda Goku Naruto kubectl nginx sudo chmod regex tuple""".split()


def numbers(random_numbers):
    for _ in range(40):
        yield str(random_numbers.randrange(10 ** random_numbers.randint(1, 9)))
    for _ in range(20):
        yield f"{random_numbers.randrange(10000)}.{random_numbers.randrange(1000)}"
    for _ in range(30):
        yield f"{random_numbers.choice('$£€')}{random_numbers.randrange(3000):,}.{random_numbers.randrange(100):02d}"
    for _ in range(20):
        yield f"{random_numbers.randrange(1, 13)}/{random_numbers.randrange(1, 29)}/{random_numbers.randrange(1900, 2030)}"
    for _ in range(20):
        yield f"{random_numbers.randrange(24)}:{random_numbers.randrange(60):02d}{random_numbers.choice(['', ' am', 'pm', ' P.M.'])}"
    for _ in range(20):
        yield f"in {random_numbers.randrange(1000, 2100)}{random_numbers.choice(['', 's', ' BC'])}"
    for _ in range(20):
        yield f"{random_numbers.randrange(1000)}{random_numbers.choice(['th', ' km', '%', ' kg', '°C', ' mph', 'k', ' GB'])}"
    for _ in range(10):
        yield f"{random_numbers.randrange(10 ** 12, 10 ** 14):,}"


def phonemes_of(voice, text):
    """One a sentence; None where the package itself fails."""
    try:
        return voice.phonemize(text)
    except Exception:  # what it raises on is not what is compared
        return None


def spectra(frames, seed):
    """What tests/plugins/speech/vocoder_test.cpp makes as well: sines of their place."""
    place = np.arange(601 * frames, dtype=np.float64).reshape(601, frames)
    def wave(k, scale, shift):
        return (np.sin(place * 0.37 * (k + 1) + seed) * scale + shift).astype(np.float32)
    frame = np.arange(frames, dtype=np.float64)
    pitch = (120.0 + 60.0 * np.sin(frame * 0.3 + seed)).astype(np.float32)
    pitch[frames // 2: frames // 2 + 3] = 0.0
    return wave(0, 1.5, -2.0), wave(1, 1.0, 0.0), wave(2, 1.0, -3.0), wave(3, 1.0, -2.5), wave(4, 3.0, 0.0), pitch


class Zeros:
    """In the place of the random noise."""
    def standard_normal(self, shape, dtype):
        return np.zeros(shape, dtype)


def waves():
    out = []
    for frames, seed in ((3, 0), (16, 1)):
        samples = dsp.synth(*spectra(frames, seed), Zeros())
        out.append({"frames": frames, "seed": seed, "samples": [round(float(x), 5) for x in samples]})
    return out


def write(name, value):
    lines = ",\n ".join(json.dumps(each, ensure_ascii=False) for each in value)
    (GOLDEN / name).write_text(f"[{lines}]\n", encoding="utf-8")


def main():
    GOLDEN.mkdir(exist_ok=True)
    american, british = Hibari(), Hibari(g2p=G2P(british=True))
    cases = []
    for text in SENTENCES:
        said = text.replace("\\t", "\t")
        cases.append({"text": said, "normalized": normalize(said), "phonemes": phonemes_of(american, said),
                      "british": phonemes_of(british, said)})
    write("english.json", cases)
    write("words.json", [[word, phonemes_of(american, word)[0], phonemes_of(british, word)[0]] for word in WORDS])
    write("numbers.json", [[text, phonemes_of(american, text)[0]] for text in numbers(random.Random(SEED))])
    write("waves.json", waves())
    versions = {name: version(name) for name in ("hibari-tts", "numpy", "onnxruntime", "scipy")}
    versions |= {"python": platform.python_version(), "fft": dsp.FFT_BACKEND}
    (GOLDEN / "versions.json").write_text(json.dumps(versions, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
