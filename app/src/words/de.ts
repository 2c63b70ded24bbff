/** The page in German. */
import type { words as english } from './en.ts';

const reihen = (count: number): string => (count === 1 ? '1 Belichtungsreihe' : `${count} Belichtungsreihen`);

const SAVE_IT =
  'Es ist fertig und lässt sich speichern. Um es auch zu sehen: andere Tabs und Programme schließen, neu beginnen, ' +
  'noch einmal zusammenfügen.';
const SILENT = 'Diese Dateien sagen nicht, wie sie belichtet sind';
const USUAL = 'oder annehmen, was die meisten Kameras tun: Abstände von zwei EV, nach Helligkeit geordnet';

export const words: typeof english = {
  page: {
    language: 'Sprache',
    private: 'Fotos bleiben auf dem Gerät',
    toBrackets: '‹ Alle Reihen',
    photos: 'Fotos',
    folder: 'Ordner mit Fotos',
    bytes: 'Byte',
    dismiss: (title) => `Schließen: ${title}`,
    drop: 'Fotos hier ablegen, um sie hinzuzufügen',
    busy: 'Gerade wird gerechnet: weitere Fotos danach hinzufügen',
    folders: (count) => `${count} Ordnern`,
    folderAndFiles: (folder) => `„${folder}“ und weiteren Dateien`,
    quoted: (name) => `„${name}“`,
  },
  about: {
    title: 'Über deghost',
    help: 'Hilfe',
    source: 'Quelltext',
    licence: 'MIT-Lizenz',
    bench: 'Wie schnell ist diese GPU?',
  },
  kept: {
    title: (name) => `Letztes Bild: ${name}`,
    about: (frames, isMerged) =>
      `${frames} Aufnahmen${isMerged ? ', zusammengefügt' : ''}. Nur in diesem Browser aufbewahrt; neue Fotos ` +
      'treten an seine Stelle.',
    aboutList: (photos) =>
      `${photos} Fotos für mehrere Bilder. Nur in diesem Browser aufbewahrt; neue Fotos treten an ihre Stelle.`,
    goOn: 'Fortfahren',
    forget: 'Vergessen',
    keep: 'Dieses Bild in diesem Browser aufbewahren',
    note:
      'Dann geht nichts verloren, wenn die Seite neu geladen wird. Fotos werden kopiert, bis zu 1 GB, wenn der ' +
      'Browser sie nicht selbst wieder öffnen kann. Nichts wird gesendet; „Neu beginnen“ vergisst alles.',
    notOpened: 'Die Fotos wurden nicht geöffnet',
    openAgain: 'Wieder öffnen',
    locked: (names) => `Der Browser fragt, bevor er diese Fotos wieder öffnet: ${names}.`,
    gone: (names) => `Diese Fotos ließen sich nicht wieder öffnen: ${names}. Neu hinzufügen.`,
    missing: 'Fotos fehlen',
    failed: 'Dieses Bild wird nicht aufbewahrt',
    noRoom: 'Der Browser hat dafür zu wenig Platz. Vor dem Schließen der Seite speichern; alles andere geht.',
    noStore: 'Dieser Browser bewahrt nichts auf, wie in manchen privaten Fenstern. Vor dem Schließen speichern.',
    tooLarge: 'Die Fotos sind zusammen größer als 1 GB. Vor dem Schließen der Seite speichern; alles andere geht.',
    listTooLarge: {
      title: 'Die Liste der Bilder wird nicht aufbewahrt',
      text: 'Ihre Fotos sind zusammen größer als 1 GB. Das offene Bild wird aufbewahrt; alles andere geht.',
    },
    elsewhere: {
      title: 'Das Bild ist in einem anderen Tab offen',
      text: 'Dort weitermachen oder jenen Tab erst schließen.',
    },
    mergeFirst: {
      title: 'Erst neu zusammenfügen',
      text: 'Dieses Bild war aufbewahrt, aber nicht, was die Wahl eines Moments braucht. Bisherige Änderungen bleiben.',
    },
    notRestored: { title: 'Das fertige Bild ließ sich nicht lesen', text: 'Die Aufnahmen neu zusammenfügen.' },
  },
  offline: {
    newer: { title: 'Eine neue Version ist bereit', text: 'Sie gilt ab dem nächsten Laden.' },
    reload: 'Jetzt laden',
    notShared: {
      title: 'Die geteilten Fotos sind nicht angekommen',
      text: 'Stattdessen hier öffnen: auswählen oder ablegen.',
    },
  },
  welcome: {
    title1: 'Aus einer Belichtungsreihe',
    title2: 'ein Bild ohne Geister.',
    lead:
      'Menschen gehen, Blätter wehen, Autos fahren, während die Kamera ihre Aufnahmen macht. deghost findet, was ' +
      'sich bewegt hat, behält davon einen Moment und nutzt überall sonst das Licht aller Aufnahmen.',
    pick: 'Fotos auswählen',
    pickFolder: 'Ordner auswählen',
    orDrop: 'oder ',
    exposures: '2 bis 16 Belichtungen eines Motivs',
    anywhere: ' irgendwo auf dieser Seite ablegen',
    orFolder: ' – oder einen Ordner mit vielen Reihen',
    formats: 'JPEG, PNG, TIFF oder RAW, vom Stativ oder aus der Hand',
    sample: 'Keine Belichtungsreihe zur Hand? Diese drei Aufnahmen fliegender Ballons liegen bei.',
    plain: 'Drei Aufnahmen gemittelt: Jeder der drei Ballons erscheint dreimal, blass, als Geisterbild.',
    deghosted:
      'Dieselben Aufnahmen, mit deghost zusammengefügt: ein roter, ein gelber, ein blauer Ballon, ohne Geisterbilder.',
    loading: 'Beispiel wird geladen …',
    divider: 'Trennlinie zwischen dem Mittel der Aufnahmen und dem Bild ohne Geisterbilder',
    dividerAt: (percent) => `${percent} % gemittelt, ${100 - percent} % ohne Geister`,
    noSample: 'Das Beispiel ließ sich nicht laden: Verbindung prüfen und noch einmal versuchen.',
    example: 'Beispiel ausprobieren',
  },
  picture: {
    workspace: 'Aufnahmen und Bild',
    title: 'Bild',
    merged: 'Fertiges Bild',
    reference: (name, ev) => `Referenzbild: ${name}${ev === '' ? '' : `, ${ev} EV`}`,
    plain: 'gemittelt',
    deghosted: 'ohne Geister',
    zoom: 'Zoom',
    zoomOut: 'Verkleinern',
    zoomIn: 'Vergrößern',
    fit: 'Einpassen',
    working: 'Dieser Teil wird zusammengefügt …',
    help:
      'Verschieben durch Ziehen oder mit den Pfeiltasten; zoomen mit dem Mausrad, zwei Fingern oder + und −; ' +
      '0 passt ein, 1 oder ein Doppelklick zeigt 100 %. Etwas Bewegtes anklicken, oder Eingabetaste: seinen Moment ' +
      'wählen. U nimmt zurück.',
    brushHelp:
      'Mit dem Zeiger malen, oder den Pinsel mit den Pfeiltasten bewegen und mit der Leertaste malen. [ und ] ändern ' +
      'seine Größe, U nimmt zurück, Esc verwirft einen Strich oder legt den Pinsel weg.',
  },
  controls: 'Einstellungen',
  look: {
    title: 'Bildstil',
    compare: 'Mit dem Mittel aller Aufnahmen vergleichen',
    computing: 'Das Mittel aller Aufnahmen wird berechnet …',
    averaged: 'Alle Aufnahmen gemittelt, mit Geisterbildern.',
    noPlain: (why) => `Das Mittel aller Aufnahmen ließ sich nicht berechnen: ${why}.`,
    divider: 'Trennlinie',
    dividerAt: (percent) => `${percent} % gemittelt`,
  },
  finish: {
    looks: { natural: 'Natürlich', vivid: 'Kräftig', soft: 'Weich', monochrome: 'Schwarz-Weiß' },
    groups: { light: 'Licht', color: 'Farbe' },
    settings: {
      exposure: 'Belichtung',
      contrast: 'Kontrast',
      highlights: 'Lichter',
      shadows: 'Tiefen',
      white: 'Weißpunkt',
      black: 'Schwarzpunkt',
      clarity: 'Klarheit',
      temperature: 'Temperatur',
      tint: 'Tönung',
      saturation: 'Sättigung',
    },
    bright: 'Licht heller als Weiß',
    back: 'Zurück zum Bildstil',
    restored: (setting: string) => `${setting} ist wieder wie im Bildstil.`,
    shownWhite: (share) => `${share} erscheinen weiß`,
    shownBlack: (share) => `${share} erscheinen schwarz`,
    histogram: (white, black) => `Licht der Szene in EV um mittleres Grau: ${white} erscheinen weiß, ${black} schwarz`,
  },
  crop: {
    open: 'Zuschneiden und gerade ausrichten',
    aspect: 'Seitenverhältnis',
    free: 'Frei',
    own: 'Wie das Bild',
    angle: 'Gerade ausrichten',
    whole: 'Ganzes Bild',
    done: 'Fertig',
    size: (width, height) => `${width} × ${height} Pixel`,
    frame: 'Zuschnitt: Pfeiltasten bewegen ihn, mit Umschalt ändern sie seine Größe, Eingabe beendet',
  },
  motion: {
    title: 'Bewegung',
    show: 'Zeigen, was als bewegt gilt',
    opacity: 'Deckkraft',
    of: 'Bewegung in',
    all: 'allen Aufnahmen',
    brush: 'Pinsel',
    off: 'Aus',
    add: 'Malen',
    erase: 'Radieren',
    size: 'Pinselgröße',
    note:
      'Wo ein Geisterbild bleibt, Bewegung malen: Diese Stelle kommt dann allein aus dem Referenzbild. Wo Rauschen ' +
      'bleibt, Bewegung ausradieren: Dort zählen alle Aufnahmen.',
    hardness: 'Pinselhärte',
    look: 'Etwas Bewegtes anklicken, oder im Bild die Eingabetaste drücken: So wird gewählt, welche Aufnahme es zeigt.',
    undo: 'Zurücknehmen',
    redo: 'Wiederholen',
    painted: 'Bewegung gemalt.',
    erased: 'Bewegung radiert.',
    undone: (steps) =>
      `Zurückgenommen. Es ${steps === 1 ? 'bleibt eine Änderung' : `bleiben ${steps || 'keine'} Änderungen`}.`,
    restored: 'Dieses Bild war aufbewahrt. Um es zu ändern, neu zusammenfügen: Bisherige Änderungen bleiben.',
    brushOff: 'Der Pinsel ist aus.',
  },
  loupe: {
    title: 'Diese Stelle in jeder Aufnahme',
    hint: 'Den Moment wählen, der gezeigt wird.',
    found: 'Etwas Bewegtes, wie es in jeder Aufnahme war. Den Moment wählen, der gezeigt wird.',
    nothing: 'Dort bewegt sich nichts.',
    shows: (name) => `Gezeigt wird der Moment von ${name}.`,
    smaller: 'Kleiner',
    larger: 'Größer',
    back: '‹ Vorige Stelle',
    next: 'Nächste Stelle ›',
    close: 'Schließen',
  },
  keys: {
    title: 'Tasten',
    close: 'Die Liste der Tasten schließen',
    single: 'Diese Liste mit ? öffnen',
    names: { Ctrl: 'Strg', Shift: 'Umschalt', Space: 'Leertaste', Delete: 'Entf', Enter: 'Eingabe' },
    groups: {
      everywhere: 'Überall',
      picture: 'Auf dem Bild',
      brush: 'Auf dem Bild, mit dem Pinsel',
      frames: 'Auf Aufnahmen, vergrößert oder nebeneinander',
      crop: 'Auf dem Rahmen des Zuschnitts',
      sliders: 'Auf Reglern',
    },
    does: {
      list: 'diese Liste',
      paste: 'kopierte Fotos nehmen',
      close: 'ein Fenster schließen',
      move: 'das Bild verschieben',
      moveFar: 'viermal so weit verschieben',
      zoom: 'vergrößern und verkleinern',
      fit: 'das ganze Bild zeigen',
      full: 'auf 100 % vergrößern',
      moveBrush: 'den Pinsel bewegen',
      paint: 'malen, solange sie gedrückt ist',
      size: 'kleinerer und größerer Pinsel',
      nextThing: 'das nächste, was sich bewegt',
      lastThing: 'das davor',
      undo: 'eine Änderung zurücknehmen',
      redo: 'sie wiederholen',
      otherFrame: 'die Aufnahme davor und die nächste',
      moveCrop: 'ihn bewegen',
      sizeCrop: 'seine Größe ändern',
      endCrop: 'den Zuschnitt beenden',
      brushOff: 'den Strich verwerfen oder den Pinsel ausschalten',
      change: 'den Wert ändern',
      restore: 'den Wert des Bildstils nehmen',
    },
  },
  save: {
    title: 'Speichern',
    ultraHdr: 'JPEG für Handy und Web, leuchtend auf HDR-Bildschirmen',
    png: 'wie hier zu sehen',
    exrHalfName: 'OpenEXR, 16 Bit',
    exrHalf: 'lineares Licht, zum Bearbeiten',
    exrFloatName: 'OpenEXR, 32 Bit',
    exrFloat: 'dasselbe in voller Genauigkeit',
    tiffName: 'TIFF, 16 Bit Gleitkomma',
    tiff: 'lineares Licht, für Bildbearbeitungen',
    dng: 'für RAW-Entwickler',
    hdr: 'lineares Licht, in einem Format, das jedes Programm liest',
    saved: (name, bytes) => `${name} ist gespeichert, ${bytes}.`,
  },
  result: (size, frames, isEdited, seconds, bytes) =>
    `${size}, ${frames} Aufnahmen${isEdited ? ', mit Änderungen' : ''}. ` +
    `In ${seconds} s mit ${bytes} Grafikspeicher zusammengefügt.`,
  frames: {
    title: 'Aufnahmen',
    auto: 'Referenzbild automatisch wählen',
    add: 'Fotos hinzufügen',
    curve: 'Tonwertkurve der Dateien',
    curveAuto: 'Automatisch',
    curveGamma: 'Gamma 2,2',
    curveLinear: 'Linear (ohne Kurve entwickelt)',
    align: 'Aufnahmen ausrichten',
    strength: 'Geisterbilder entfernen',
    less: 'schwächer',
    more: 'stärker',
    strengthOf: (steps) => (steps === 0 ? 'normal' : `${Math.abs(steps)} ${steps > 0 ? 'stärker' : 'schwächer'}`),
    colours: 'Farbraum',
    srgb: 'sRGB, für jeden Bildschirm',
    clear: 'Neu beginnen',
    reading: 'Wird gelesen …',
    float: 'Gleitkomma',
    bits: (bits) => `${bits} Bit`,
    reference: 'Referenz',
    referenceOf: (name) => `Referenzbild: ${name}`,
    evOf: (name) => `Belichtung von ${name} in EV, gezählt ab dem Referenzbild`,
    noEv: (text, most) => `„${text}“ ist keine Belichtung: eine Zahl von −${most} bis ${most}, etwa −2 oder 1,5`,
    dismiss: (name) => `${name} ausblenden`,
    remove: (name) => `${name} entfernen`,
    removed: (name) => `${name} wurde entfernt.`,
    clippedOf: (percent, name) => `${percent} von ${name}`,
    referenceTaken: (name, percent, others, isKept) =>
      `Gewählt ist ${name}: ${percent} davon sind ausgebrannt oder schwarz, ${others}.` +
      (isKept ? ' Die mittlere Aufnahme bleibt, solange sie höchstens 1 % mehr verliert als die beste.' : ''),
    estimated: (off) =>
      `${SILENT}. Die EV sind aus den Bildpunkten geschätzt, jeder Schritt auf ±${off} genau: Bekanntes ` +
      `berichtigen ${USUAL}.`,
    missing: (names) => `Unbekannt ist die Belichtung von ${names}: EV eintragen, gezählt ab dem Referenzbild.`,
    allMissing: (incomparable) =>
      `${SILENT}${
        incomparable
          ? `, und ${incomparable.join(' und ')} haben zu wenig Helligkeit gemeinsam, um sie zu schätzen`
          : ''
      }. Die EV aller Aufnahmen eintragen ${USUAL}.`,
    propose: '−2, 0, +2 … annehmen',
    referenceAs: {
      middle: 'Referenz: mittlere Belichtung',
      most: 'Referenz: zeigt am meisten',
      chosen: 'Referenz: gewählt',
    },
    notAligned: 'Ließ sich nicht ausrichten',
    still: 'Lag schon wie die Referenz',
    aligned: (pixels, degrees, isBent) =>
      `Ausgerichtet: um bis zu ${pixels} px verschoben${degrees === '' ? '' : `, um ${degrees}° gedreht`}` +
      (isBent ? ', gegen Parallaxe verformt' : ''),
    enlarge: (name) => `${name} vergrößern`,
    close: 'Schließen',
    previous: 'Voriges Foto',
    next: 'Nächstes Foto',
    place: (at, all) => `${at} von ${all}`,
  },
  merge: {
    merge: 'Zusammenfügen',
    frames: (count) => `${count} Aufnahmen zusammenfügen`,
    again: 'Neu zusammenfügen',
    changed: 'Aufnahmen oder Einstellungen haben sich seit diesem Bild geändert.',
    noGpu: 'Zusammenfügen braucht WebGPU, siehe oben.',
    stopped: 'Die Seite arbeitet nicht mehr, siehe oben.',
    reading: 'Fotos werden gelesen …',
    addTwo: 'Mindestens zwei Belichtungen hinzufügen.',
    addOne: 'Mindestens eine weitere Belichtung hinzufügen.',
    unread: 'Die unlesbare Belichtung berichtigen.',
    missing: 'Fehlende Belichtungen eintragen.',
    equal: 'Alle Aufnahmen sind gleich belichtet: die wahren Belichtungen eintragen.',
    starting: 'Einen Augenblick …',
    merging: 'Die Aufnahmen werden zusammengefügt.',
    done: 'Das Bild ist fertig.',
    cancelled: 'Das Zusammenfügen wurde abgebrochen.',
  },
  progress: {
    starting: 'Es geht los',
    cancel: 'Abbrechen',
    cancelling: 'Wird abgebrochen …',
    bytes: (done, total, percent) => `${done} von ${total}, ${percent} %`,
    stages: {
      weights: 'Neuronales Netz wird geladen',
      read: 'Fotos werden gelesen',
      response: 'Tonwertkurve der Kamera wird ermittelt',
      align: 'Aufnahmen werden ausgerichtet',
      compile: 'Grafikkarte wird vorbereitet',
      segmentation: 'Bewegung wird gesucht',
      fusion: 'Aufnahmen werden zusammengefügt',
      merge: 'Aufnahmen werden zusammengefügt',
      moment: 'Andere Momente werden zusammengefügt',
    },
    nearlyDone: 'fast fertig',
    seconds: (seconds) => `noch etwa ${seconds} s`,
    minutes: (minutes) => `noch etwa ${minutes} min`,
    hours: (hours, minutes) => `noch etwa ${hours} h ${minutes} min`,
  },
  ask: {
    addOrBegin: (isUnsaved) =>
      'Diese Fotos zu den Aufnahmen dieses Bildes hinzufügen oder nur mit ihnen neu beginnen?' +
      (isUnsaved ? ' Das Bild ist nicht gespeichert.' : ''),
    begin: 'Neu beginnen',
    add: 'Hinzufügen',
    unsaved: 'Das fertige Bild ist nicht gespeichert. Verwerfen?',
    discard: 'Verwerfen',
    keep: 'Behalten',
  },
  notices: {
    noStart: 'Die Seite konnte nicht starten',
    stopped: 'Die Seite arbeitet nicht mehr',
    workerFailed: (why, isUnsaved) =>
      `Ihr Rechenprogramm ist ausgefallen: ${why}. ` +
      `${isUnsaved ? 'Das Bild speichern, falls das noch geht, dann die Seite' : 'Seite'} neu laden.`,
    workerEnded:
      'Der Browser hat ihr Rechenprogramm beendet, vielleicht weil der Speicher knapp ist. Andere Tabs schließen und ' +
      'die Seite neu laden.',
    notUnderstood: 'Eine Nachricht von ihm war nicht zu lesen',
    notLoaded: 'Es ließ sich nicht laden',
    busy: {
      title: 'Die Fotos wurden nicht hinzugefügt',
      text: 'Abwarten, bis das Bild fertig ist, oder abbrechen; dann noch einmal hinzufügen.',
    },
    twice: (name, count) => ({
      title: count === 1 ? `${name} ist schon in der Liste` : `${count} Fotos sind schon in der Liste`,
      text: 'Es ist dieselbe Datei: Sie wurde nicht noch einmal hinzugefügt.',
    }),
    unusable: (name) => `${name} lässt sich nicht verwenden`,
    fileMemory: (name) =>
      `${name} braucht mehr Speicher, als dieser Tab hat: andere Tabs schließen, andere Aufnahmen entfernen oder ` +
      'alle verkleinern',
    files: 'Zu den Dateien',
    recovered: 'Die Verbindung zur Grafikkarte brach ab und besteht wieder',
    mergeGoesOn: 'Es geht weiter, wo es stehen geblieben ist.',
    shownAgain: 'Das Bild ist wieder zu sehen.',
    smaller: {
      title: 'Der Grafikspeicher ist knapp',
      text: 'Das Zusammenfügen hat in kleineren Teilen neu begonnen und dauert etwas länger.',
    },
  },
  plan: {
    title: (brackets, from) => `${reihen(brackets)} in ${from}`,
    these: (files) => (files === 1 ? 'dieser Datei' : `diesen ${files} Dateien`),
    about: (taken, files) =>
      `${taken} von ${files} Dateien. Aus jeder Reihe wird ein Bild. Ein Klick auf ihre Fotos öffnet sie einzeln.`,
    looking: (pictures) => (pictures === 1 ? '1 Bild wird gesichtet …' : `${pictures} Bilder werden gesichtet …`),
    reading: 'Aufnahmedaten werden gelesen',
    done: (done, all) => `${done} von ${all}`,
    found: (brackets) => `${reihen(brackets)} gefunden.`,
    noPictures: (folder) => ({
      title: `Keine Bilder in ${folder}`,
      text:
        'Den Namen nach lässt sich keine dieser Dateien zusammenfügen. Einen Ordner mit JPEG, TIFF oder anderen ' +
        'Bildern auswählen.',
    }),
    one: (folder, leftOver) => ({ title: `Eine Belichtungsreihe in ${folder}`, text: `Übrig: ${leftOver}.` }),
    all: 'Alle Reihen',
    leftOver: (files) => (files === 1 ? '1 Datei in keiner Reihe' : `${files} Dateien in keiner Reihe`),
    noPicture: 'dem Namen nach kein lesbares Bild',
    reason: (kind) =>
      ({
        pair: 'dieselbe Aufnahme liegt als RAW vor',
        rest: 'bleibt beim Abzählen der Reihen übrig',
        unexposed: 'EXIF nennt keine Belichtung: angeben, wie viele Aufnahmen eine Reihe hat',
        alone: 'keine anders belichtete Aufnahme des Motivs direkt davor oder danach',
        many: 'mehr als 16 Belichtungen hintereinander',
        alike: 'die Belichtungen liegen weniger als 1 EV auseinander',
      })[kind],
    panel: 'Alle zusammenfügen',
    settings: 'Zusammenfügen',
    saveAs: 'Speichern als',
    saveTo: 'Speichern in',
    png: 'PNG, wie auf dem Bildschirm',
    downloads: 'Downloads, nacheinander',
    downloadsNote: 'Der Browser fragt eventuell, ob diese Seite mehrere Dateien speichern darf.',
    folder: 'Einem Ordner …',
    folderOf: (name) => `Ordner „${name}“`,
    framesOf: 'Aufnahmen je Reihe',
    asTaken: 'wie fotografiert',
    merge: (brackets) => `${reihen(brackets)} zusammenfügen`,
    noneChosen: 'Keine Reihe ist ausgewählt.',
    discard: 'Das geöffnete Bild ist nicht gespeichert. Verwerfen?',
    otherFolder: 'Anderen Ordner auswählen',
    notWritable: (why) => `In diesen Ordner lässt sich nicht schreiben: ${why}.`,
    notWritten: (name, folder, why) => `${name} lässt sich nicht in „${folder}“ schreiben: ${why}.`,
    notSaved: 'Das Bild ist fertig, aber nicht gespeichert',
    bracketOf: (bracket, all) => `Reihe ${bracket} von ${all}`,
    merged: (saved, all, folder) =>
      `${saved} von ${all === 1 ? '1 Bild' : `${all} Bildern`} fertig und ` +
      `${folder === undefined ? '' : `in „${folder}“ `}gespeichert`,
    cancelled: 'Die übrigen wurden abgebrochen.',
    failed: (brackets) => `${reihen(brackets)} fehlgeschlagen`,
    stillChosen: 'Nicht gespeicherte Reihen bleiben ausgewählt. Einzeln geöffnet zeigen sie mehr.',
  },
  bracket: {
    title: (first, last) => `${first} bis ${last}`,
    frames: (count) => `${count} Aufnahmen`,
    unknown: 'EV ?',
    open: (title) => `${title} einzeln öffnen:`,
    openIt: 'Diese Reihe einzeln öffnen',
    progress: (title) => `Fortschritt von ${title}`,
    waits: 'Wartet',
    saved: (name, bytes) => `Gespeichert als ${name}, ${bytes}`,
    savedBefore: 'Gespeichert, bevor die Seite neu geladen wurde',
    states: {
      open: 'geöffnet',
      merging: 'wird berechnet …',
      merged: 'nicht gespeichert',
      saved: 'gespeichert',
      failed: 'fehlgeschlagen',
    },
  },
  remedies: {
    exposure: 'die Belichtungen eintragen',
    'equal-exposures': 'unterschiedlich belichtete Fotos hinzufügen oder die wahren Belichtungen eintragen',
    'memory-budget': 'einige Aufnahmen entfernen oder alle verkleinern',
  },
  warnings: {
    'much-motion': 'Der größte Teil des Bildes gilt als bewegt',
    unaligned: 'Eine Aufnahme ließ sich nicht ausrichten',
    'weak-response': 'Die Tonwertkurve der Dateien ist unsicher',
    'poor-reference': 'Das Referenzbild zeigt wenig',
    'contradicted-exposures': 'Die Belichtungen passen nicht zu den Bildern',
  },
  note: (kind) =>
    ({
      turned: 'Eine Aufnahme mit abweichender Ausrichtung ist so gedreht wie die übrigen.',
      linear: 'Den Dateien nach ist ihr Licht linear: So werden sie gelesen, gleich welche Tonwertkurve gewählt ist.',
      'clipped-colors':
        'Einige Farben liegen außerhalb des Farbraums und sind beschnitten: Unter „Farbraum“ gibt es größere.',
      estimated: 'Keine Datei nennt ihre Belichtungszeit: Die Belichtungen sind aus den Bildpunkten geschätzt.',
    })[kind],
  warning: (kind, _, frames) => {
    const which = frames.map((frame) => `Aufnahme ${frame + 1}`).join(', ');
    const texts: Record<typeof kind, string> = {
      'much-motion':
        'Mehr als die Hälfte kommt allein aus dem Referenzbild. Mögliche Gründe: Aufnahmen sind nicht ausgerichtet, ' +
        'eine ist gedreht oder zeigt ein anderes Motiv, oder die Belichtungen stimmen nicht. Wenn sich wirklich so ' +
        'viel bewegt, weniger Aufnahmen zusammenfügen.',
      unaligned:
        `Unsicher ist die Ausrichtung von ${which}. Wo das Bild doppelt oder weich ist, Aufnahmen entfernen, die ` +
        'nicht zur Reihe gehören.',
      'weak-response':
        'Sie ließ sich nicht sicher ermitteln. Wenn Farben oder Tonwerte falsch aussehen oder Unbewegtes als bewegt ' +
        'gilt, anders belichtete Aufnahmen hinzufügen oder unter „Tonwertkurve der Dateien“ eine andere wählen.',
      'poor-reference':
        `Fast alles in ${which} ist ausgebrannt oder schwarz: Bewegtes kommt von dort und ist kaum zu erkennen. Ein ` +
        'anderes Referenzbild wählen.',
      'contradicted-exposures':
        `${which}: Die Helligkeit der Bilder passt nicht zu den angegebenen Belichtungen. Belichtungen prüfen und ` +
        'Aufnahmen entfernen, die nicht zur Reihe gehören.',
    };
    return texts[kind];
  },
  failures: {
    change: (why) => ({
      title: 'Die Änderung ließ sich nicht einfügen',
      text:
        `${why} Das Bild zeigt sie noch nicht. Mit der nächsten Änderung oder beim erneuten Zusammenfügen wird sie ` +
        'noch einmal versucht.',
    }),
    noWebGpu: {
      title: 'Dieser Browser hat kein WebGPU',
      text: 'deghost rechnet mit WebGPU. Das hat dieser Browser nicht, oder es ist ausgeschaltet.',
      steps: [
        'Chrome und Edge: den Browser aktualisieren. Unter Linux und Windows für ARM brauchen manche Grafikkarten ' +
          'zusätzlich „Unsafe WebGPU Support“ auf chrome://flags/#enable-unsafe-webgpu.',
        'Firefox: den Browser aktualisieren. WebGPU hat er unter Windows und auf Macs mit Apple-Chip; sonst auf ' +
          'about:config dom.webgpu.enabled auf true setzen.',
        'Safari: macOS, iOS oder iPadOS auf Version 26 oder neuer aktualisieren.',
        'Danach den Browser neu starten und diese Seite öffnen.',
      ],
    },
    notSecure: {
      title: 'Diese Adresse ist nicht sicher',
      text:
        'Browser bieten WebGPU nur Seiten unter https: oder localhost an. Diese Seite unter einer solchen Adresse ' +
        'öffnen.',
    },
    noAdapter: {
      title: 'Keine Grafikkarte gefunden',
      text: 'Der Browser hat WebGPU, aber keine Grafikkarte, die er nutzen darf.',
      steps: [
        'Hardwarebeschleunigung einschalten: in Chrome und Edge unter Einstellungen, System; in Firefox unter ' +
          'Einstellungen, Allgemein, Leistung.',
        'Den Grafiktreiber aktualisieren. Chrome und Edge sagen auf chrome://gpu, warum sie eine Karte ablehnen, ' +
          'Firefox auf about:support.',
        'Unter Linux brauchen Chrome und Edge eventuell „Unsafe WebGPU Support“ auf ' +
          'chrome://flags/#enable-unsafe-webgpu.',
        'Danach den Browser neu starten und diese Seite öffnen.',
      ],
    },
    commandLine: 'Die Kommandozeile kann dasselbe, mit Node 20. Unter Linux braucht sie keine Grafikkarte:',
    lost: {
      title: 'Die Verbindung zur Grafikkarte brach zweimal ab',
      text:
        'Sie wurde zurückgesetzt oder getrennt, wieder geöffnet und ging noch einmal verloren. Andere Programme ' +
        'schließen, die sie nutzen, und es noch einmal versuchen; hilft das nicht, diese Seite neu laden oder die ' +
        'Aufnahmen verkleinern.',
    },
    lostView: { title: 'Die Verbindung zur Grafikkarte brach zweimal ab', text: SAVE_IT },
    memory: {
      title: 'Dieser Tab hat zu wenig Speicher',
      text:
        'Die Aufnahmen und ihre Verarbeitung brauchen mehr, als dieser Tab haben kann. Andere Tabs und Programme ' +
        'schließen, einige Aufnahmen entfernen oder alle verkleinern; dann noch einmal zusammenfügen. Die Aufnahmen ' +
        'sind noch da.',
    },
    memoryView: { title: 'Der Speicher reicht nicht, um das Bild zu zeigen', text: SAVE_IT },
    memorySave: {
      title: 'Der Speicher reicht nicht für diese Datei',
      text:
        'Andere Tabs und Programme schließen und es noch einmal versuchen, oder als Radiance .hdr speichern, das am ' +
        'wenigsten braucht.',
    },
    gpuMemory: {
      title: 'Die Grafikkarte hat zu wenig Speicher',
      text:
        'Auch kleinere Teile haben nicht geholfen. Andere Tabs und Programme schließen, die sie nutzen, dann noch ' +
        'einmal zusammenfügen; hilft das nicht, die Aufnahmen verkleinern.',
    },
    gpuMemoryView: { title: 'Die Grafikkarte hat zu wenig Speicher, um das Bild zu zeigen', text: SAVE_IT },
    input: 'Diese Aufnahmen lassen sich nicht zusammenfügen',
    other: 'Etwas ist schiefgegangen',
  },
};
