/** What `--help` says. Written to answer the questions people have, not to list options alone. */

const ADAPTER = `  --adapter WHICH       auto (a GPU, or else a software adapter), gpu, software (the system's
                        lavapipe, or else npm's SwiftShader), swiftshader. Default: the
                        environment variable DEGHOST_ADAPTER, or auto.`;

export const GENERAL_HELP = `deghost: merge bracketed photos with moving things in them into one ghost-free HDR picture

Usage
  deghost merge IMG... -o OUT   merge 2 to 16 exposures of one scene
  deghost plan WIDTHxHEIGHT     what a merge of that size would run and how much memory it takes
  deghost tune                  which implementations are fastest on this adapter
  deghost evaluate DIR...       figures: harm done to any stack, and against ground truth where there is one
  deghost info                  adapters, their limits and features, and what is missing
  deghost COMMAND --help        all about one command
  deghost --version

Exit codes
  0 done, 1 error, 2 wrong usage, 3 no GPU or software adapter, 130 cancelled
`;

export const MERGE_HELP = `Usage: deghost merge IMG... -o OUT [options]

Merges 2 to 16 exposures of one scene, taken from one place, into one HDR picture. What moved between
them is taken from the reference frame alone, so it leaves no ghosts.

Examples
  deghost merge a.jpg b.jpg c.jpg -o out.hdr
  deghost merge *.tif --ev=-2,0,2 -o out.exr --preview out.png
  deghost merge a.png b.png c.png --times 1/320,1/80,1/20 -o out.hdr --motion maps
  deghost merge a.png b.png c.png --times 1/320,1/80,1/20 -o out.hdr --motion-in maps   (maps you edited)

Pictures in
  JPEG, PNG (8 or 16 bit), TIFF (8 or 16 bit), NPY ([H,W,3]: float32 in [0,1], uint8 or uint16), all of one
  size. EXIF orientation and ICC profile are applied. RAW and HEIC must be converted first.
  They must be aligned: from a tripod, or aligned by another program.

Exposures: which picture is how bright
  Taken from EXIF (exposure time, f-number and ISO together) unless you give them, in the order in which
  the pictures are named; the frames are then sorted, darkest first:
  --ev LIST             in stops, +1 is twice the exposure: --ev=-2,0,2
  --times LIST          in seconds: --times 1/320,1/80,1/20
  Only their ratios matter. Wrong ones look like motion everywhere.

Result
  -o, --output FILE     .hdr (Radiance RGBE), .exr (OpenEXR), .npy (float32 [H,W,3]), .png or .jpg
                        (tone-mapped). In .hdr and .exr, 1.0 is the reference frame's white; in .npy it
                        is the saturation of the shortest frame.
  --preview FILE.png    a tone-mapped picture as well
  --exr-type TYPE       half (default) or float
  The folder must exist. A file is replaced only once its successor is complete.

How it is merged
  -r, --reference N     the frame that moving things are taken from, counted from 1, darkest first.
                        Default: the middle one (the darker of the two middle ones of an even number).
                        Choose one in which they are neither black nor burnt out; auto takes the frame with
                        the fewest pixels that are either (a code above 250 of 255, or all below 5), the
                        middle one where that has at most 1 % of the picture more, and says what it saw.
  --response CURVE      how the camera turned light into numbers. auto estimates it from the stack
                        (default for 8-bit pictures); gamma is x^2.2 (default for 16-bit and NPY); linear;
                        or a JSON file {"r": [256 numbers], "g": [...], "b": [...]} with the light that
                        belongs to value i/255, from 0 to 1.
                        auto:FILE for several stacks of one camera (the views of a panorama): the first
                        call estimates the curve and keeps it in FILE, the others read it there.
  --save-response FILE  keeps the curve used, for other stacks of the same camera
  --method METHOD       network (default), or merge: a weighted average that does not look for motion
                        and needs no weights; its ghosts show what the network removes. With --motion-in
                        it leaves out what those maps mark
  --weights FILE        a network trained elsewhere (safetensors). Default: the ones that come with
                        deghost, "fixed" for three frames and the middle one as the reference, else "any".

Motion maps: what is taken to be moving
  --motion DIR          writes each map as motion-K.png (white moves) and motion-K.npy (float32 [H,W],
                        0 to 1), K = 1.. in the order of exposure. The reference's is the union.
  --motion-in DIR       reads such maps back in place of the network's own. Paint a PNG white where the
                        reference must be used, black where frames may be averaged; an edited PNG counts,
                        else the NPY. The reference's is not read: it is the union of the others.

Machine
${ADAPTER}
  --memory-budget SIZE  most GPU memory to use: 512MiB (default), 1GiB, 300000000. Pictures of any size
                        are cut into tiles that fit; the result is the same.
  --precision f32|f16   how weights and what is between layers are stored on the GPU. f16 takes half the
                        memory, where the adapter has shader-f16; arithmetic is f32. Default: f32.
  --no-tune             neither reads what deghost tune found for this adapter, nor tunes. Without it, a GPU
                        that is not known yet is tuned for, within a few seconds, while pictures are read
  --json                one JSON object on stdout: files, sizes, exposures, response, warnings, memory,
                        times
  --profile             where the time went: reading, compiling, each stage (cutting tiles, uploads, compute,
                        readback, pasting), writing, and each operation's time on the GPU where the adapter
                        has timestamps. A table on stderr; with --json all of it there too.
  -q, --quiet           no progress
  -h, --help            this text
  Ctrl-C stops within a tile and leaves no file.
`;

export const PLAN_HELP = `Usage: deghost plan WIDTHxHEIGHT [options], or deghost plan --size WIDTHxHEIGHT

Prints what a merge of that size would do on this machine: the tiles it is cut into, every step, and GPU
memory before and after buffers are shared, and how long it will take, where deghost tune has been run.
Nothing is computed.

Example
  deghost plan 6000x4000 --frames 5 --memory-budget 1GiB

  -n, --frames N        how many exposures, 2 to 16. Default: 3.
  -r, --reference N     the reference frame, counted from 1, darkest first. Default: the middle one.
  --weights FILE        the network. Default: the one that deghost merge would take.
  --method METHOD       network (default) or merge, as in deghost merge
  --precision f32|f16   as in deghost merge
  --memory-budget SIZE  most GPU memory to use: 512MiB (default), 1GiB, 300000000
  --limits WHICH        adapter: this machine's limits and implementations (default); default: what every
                        WebGPU device has
  --wgsl STEP           print the shader that a step runs instead, by its name in the plan: --wgsl s.1.enc1.2
${ADAPTER}
  --json                one JSON object on stdout
  -h, --help            this text
`;

export const TUNE_HELP = `Usage: deghost tune [options]

Runs every implementation of every step of a merge on this machine's adapter, checks that they agree, times
them, and keeps the fastest for deghost merge and deghost plan, in the user's cache folder. A GPU takes
seconds. A software adapter takes minutes the first time, since its driver compiles each for seconds.

Examples
  deghost tune
  deghost tune --frames 5 --precision f16 --limit 60

  -n, --frames N        for merges of how many exposures, 2 to 16. Default: 3. What is found for other
                        numbers is kept beside it.
  --weights FILE        the network. Default: the one that deghost merge would take.
  --precision f32|f16   as in deghost merge; each is tuned for itself
  --limit SECONDS       begins nothing new after that; the largest share of the arithmetic comes first, and
                        what is not reached keeps its default. Default: no limit.
  --only TEXT           only the kinds of steps whose name contains TEXT
${ADAPTER}
  --json                one JSON object on stdout: every implementation's time
  -q, --quiet           no progress
  -h, --help            this text
  Ctrl-C ends it; what was found until then is kept.
`;

export const EVALUATE_HELP = `Usage: deghost evaluate DIR... [options]

Merges stacks and prints what harm the merge does to each: colour casts, rainbow pixels, and, where boxes are
known to stand still, what is called moving there and how far the picture is from the plain merge. For stacks
with a ground truth it also prints how near each result comes to it: the network, the reference frame alone,
and the merge without a network, plain and with three kinds of motion maps.

Examples
  deghost evaluate photographs --json figures.json --pictures sheets
  deghost evaluate tripod/001 --static
  deghost evaluate Test/EXTRA/001 Test/EXTRA/002 --weights mine.safetensors --response gamma

A stack is a folder, or DIR holds such folders
  pictures              *.tif, *.png or *.jpg, in the order of their names. Where some are named input_*, only
                        those count, and of these the *_aligned ones if there are any.
  exposure.txt          or input_exp.txt, ev.txt: exposures in stops, a line for each picture, or one line with
                        commas. Without it, EXIF counts.
  still.json            optional: boxes that stand still in all frames, [[x, y, width, height], ...] in pixels
  response.json         optional: the camera's response, as --save-response writes it; --response comes first
  HDRImg.hdr            optional: or ref_hdr*.hdr, ground-truth.hdr, or any single .hdr: the radiance at the
                        moment of the reference frame
  motion-K.png          optional: where frame K (darkest first) differs from the reference, white
  That is how the data sets of Kalantari (2017) and of Prabhakar and Hu are laid out. Of several stacks those
  that cannot be used are told, the others are judged, and the exit code is 1.

Rows
  network               what deghost merge gives
  reference             the reference frame alone, its radiance clipped where it clips
  merge                 the plain merge, with its ghosts
  merge, difference     where frames differ by more than 0.1 after alignment, the reference alone
  merge, S              the same with the network's motion maps
  merge, truth          the same with motion-K.png
  still                 all boxes of still.json, then each by its numbers

Columns against a ground truth
  PSNR in dB and SSIM of linear radiance (L), after the mu-law with mu = 5000 (mu), after the tone mapping of
  Reinhard (R), Krawczyk (K) and Durand (D); PSNR after PU21; PSNR-mu where things move and where not
  (motion-K.png says which); IoU of the motion maps with the true ones. Radiance is clipped to [0,1], 1 being
  the saturation of the shortest frame. The mean is over stacks, IoU over the pixels of all.

Columns of harm
  cast                  colour that one curve, the same for all channels, cannot explain between the picture and
                        the reference frame's mid-tones: median and 90th percentile of CIEDE2000 (dE, p90), mean
                        shift to red and to yellow in CIELAB (a, b)
  rainbow               pixels more than 15 in CIELAB's a or b from the median of the 5x5 around them
  moving                pixels that some frame's motion map calls moving (above 1/2); maps: mean of all frames' maps
  from merge            network against plain merge in the boxes: mean and 99th percentile of CIEDE2000 (dE, p99),
                        PSNR-mu. Both are tone-mapped with the plain merge's key.
  Means are over stacks, in still boxes over boxes; the worst is the worst stack or box.

Options
  --weights FILE        a network trained elsewhere. Default: as in deghost merge
  -r, --reference N     the reference, from 1, darkest first. Default: the middle. It must be the one
                        that the ground truth shows.
  --frames LIST         uses these frames alone, from 1, darkest first: --frames 1,3,5
  --response CURVE      as in deghost merge: auto (default for 8-bit pictures), gamma (default for 16-bit),
                        linear, or a JSON file
  --static              nothing moves in stacks without still.json: the whole picture stands still
  --truth-scale X       the ground truth times X is radiance as above. Default: fit, by least squares where
                        the reference is well exposed
  --peak-luminance X    cd/m^2 that 1 is shown as, for PU21 and Krawczyk. Default: 4000
  --json FILE           every figure; inside and outside motion also PSNR-L and PU21. What does not exist (no
                        true motion, no still.json) or is infinite is null; shares are of 1.
  --pictures DIR        a sheet for each stack: all rows; their errors after the mu-law, from black through
                        red and yellow to white at 0.1; their motion maps. Without a ground truth the plain
                        merge stands for it.
${ADAPTER}
  --memory-budget SIZE  most GPU memory to use: 512MiB (default), 1GiB, 300000000
  --precision f32|f16   as in deghost merge
  -q, --quiet           no progress
  -h, --help            this text
`;

export const INFO_HELP = `Usage: deghost info [--json]

Prints the WebGPU adapters of this machine, which one would be used, its limits and features, and, where
there is no GPU, what could be installed instead. Exit code 3 when there is no adapter at all.

${ADAPTER}
  --json                one JSON object on stdout
  -h, --help            this text
`;
