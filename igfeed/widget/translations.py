"""The handful of words that the page says itself, in seven languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

MONTHS: Mapping[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
DATES: Mapping[str, str] = {"de": "{day}. {month} {year}", "es": "{day} de {month} de {year}"}
DATES = {**DATES, "pt": DATES["es"]}


@dataclass(frozen=True)
class Wording:
    """``title``, ``photo`` and ``video`` have ``{name}`` in them, ``as_of`` has ``{date}``.

    ``not_yet``, ``come_back`` and ``for_owner`` are the page that shows while there are no posts yet,
    ``no_such_page`` and ``to_posts`` the one where there is no page.

    ``album``, ``moving`` and ``reel`` name the marks on tiles; ``turn_back`` and ``turn_on`` leaf through an album.

    ``posts`` and ``followers`` are for one, and for any other number.
    """

    title: str
    photo: str
    video: str
    album: str
    moving: str
    reel: str
    posts: tuple[str, str]
    followers: tuple[str, str]
    follow: str
    newer: str
    older: str
    pages: str
    nothing_yet: str
    not_yet: str
    come_back: str
    for_owner: str
    no_such_page: str
    to_posts: str
    see: str
    opens: str
    as_of: str
    close: str
    previous: str
    next: str
    turn_back: str
    turn_on: str
    play: str
    gone: str


WORDINGS: Mapping[str, Wording] = {
    "en": Wording(
        title="{name} on Instagram",
        photo="Photo by @{name}",
        video="Video by @{name}",
        album="Album",
        moving="Video",
        reel="Reel",
        posts=("post", "posts"),
        followers=("follower", "followers"),
        follow="Follow on Instagram",
        newer="Newer posts",
        older="Older posts",
        pages="Pages",
        nothing_yet="No posts yet.",
        not_yet="The posts are on their way",
        come_back="They will show here soon. Please come back a little later.",
        for_owner="Is this your site? See what is missing",
        no_such_page="This page does not exist",
        to_posts="See the posts",
        see="View on Instagram",
        opens="Opens on Instagram in a new tab",
        as_of="Last updated on {date}",
        close="Close",
        previous="Previous post",
        next="Next post",
        turn_back="Previous picture",
        turn_on="Next picture",
        play="Play video",
        gone="This video cannot be played here any more.",
    ),
    "de": Wording(
        title="{name} auf Instagram",
        photo="Foto von @{name}",
        video="Video von @{name}",
        album="Album",
        moving="Video",
        reel="Reel",
        posts=("Beitrag", "Beiträge"),
        followers=("Follower", "Follower"),
        follow="Auf Instagram folgen",
        newer="Neuere Beiträge",
        older="Ältere Beiträge",
        pages="Seiten",
        nothing_yet="Noch keine Beiträge.",
        not_yet="Die Beiträge sind unterwegs",
        come_back="Bald sind sie hier zu sehen. Ein späterer Besuch lohnt sich.",
        for_owner="Ihre Website? Hier steht, was noch fehlt",
        no_such_page="Diese Seite gibt es nicht",
        to_posts="Zu den Beiträgen",
        see="Auf Instagram ansehen",
        opens="Öffnet sich auf Instagram in einem neuen Tab",
        as_of="Zuletzt aktualisiert am {date}",
        close="Schließen",
        previous="Voriger Beitrag",
        next="Nächster Beitrag",
        turn_back="Voriges Bild",
        turn_on="Nächstes Bild",
        play="Video abspielen",
        gone="Dieses Video lässt sich hier nicht mehr abspielen.",
    ),
    "fr": Wording(
        title="{name} sur Instagram",
        photo="Photo de @{name}",
        video="Vidéo de @{name}",
        album="Album",
        moving="Vidéo",
        reel="Reel",
        posts=("publication", "publications"),
        followers=("abonné", "abonnés"),
        follow="Suivre sur Instagram",
        newer="Publications plus récentes",
        older="Publications plus anciennes",
        pages="Pages",
        nothing_yet="Pas encore de publication.",
        not_yet="Les publications arrivent",
        come_back="Elles seront bientôt visibles ici. Revenez un peu plus tard.",
        for_owner="C’est votre site ? Voir ce qui manque encore",
        no_such_page="Cette page n’existe pas",
        to_posts="Voir les publications",
        see="Voir sur Instagram",
        opens="S’ouvre sur Instagram dans un nouvel onglet",
        as_of="Dernière mise à jour le {date}",
        close="Fermer",
        previous="Publication précédente",
        next="Publication suivante",
        turn_back="Image précédente",
        turn_on="Image suivante",
        play="Lire la vidéo",
        gone="Cette vidéo ne peut plus être lue ici.",
    ),
    "es": Wording(
        title="{name} en Instagram",
        photo="Foto de @{name}",
        video="Vídeo de @{name}",
        album="Álbum",
        moving="Vídeo",
        reel="Reel",
        posts=("publicación", "publicaciones"),
        followers=("seguidor", "seguidores"),
        follow="Seguir en Instagram",
        newer="Publicaciones más recientes",
        older="Publicaciones anteriores",
        pages="Páginas",
        nothing_yet="Todavía no hay publicaciones.",
        not_yet="Las publicaciones están en camino",
        come_back="Pronto se verán aquí. Vuelve un poco más tarde.",
        for_owner="¿Es tu sitio? Mira qué falta",
        no_such_page="Esta página no existe",
        to_posts="Ver las publicaciones",
        see="Ver en Instagram",
        opens="Se abre en Instagram en una pestaña nueva",
        as_of="Última actualización: {date}",
        close="Cerrar",
        previous="Publicación anterior",
        next="Publicación siguiente",
        turn_back="Imagen anterior",
        turn_on="Imagen siguiente",
        play="Reproducir el vídeo",
        gone="Este vídeo ya no se puede reproducir aquí.",
    ),
    "it": Wording(
        title="{name} su Instagram",
        photo="Foto di @{name}",
        video="Video di @{name}",
        album="Album",
        moving="Video",
        reel="Reel",
        posts=("post", "post"),
        followers=("follower", "follower"),
        follow="Segui su Instagram",
        newer="Post più recenti",
        older="Post meno recenti",
        pages="Pagine",
        nothing_yet="Ancora nessun post.",
        not_yet="I post stanno arrivando",
        come_back="Presto si vedranno qui. Torna tra un po’.",
        for_owner="È il tuo sito? Vedi che cosa manca",
        no_such_page="Questa pagina non esiste",
        to_posts="Vedi i post",
        see="Vedi su Instagram",
        opens="Si apre su Instagram in una nuova scheda",
        as_of="Ultimo aggiornamento: {date}",
        close="Chiudi",
        previous="Post precedente",
        next="Post successivo",
        turn_back="Immagine precedente",
        turn_on="Immagine successiva",
        play="Riproduci il video",
        gone="Questo video non si può più riprodurre qui.",
    ),
    "pt": Wording(
        title="{name} no Instagram",
        photo="Foto de @{name}",
        video="Vídeo de @{name}",
        album="Álbum",
        moving="Vídeo",
        reel="Reel",
        posts=("publicação", "publicações"),
        followers=("seguidor", "seguidores"),
        follow="Seguir no Instagram",
        newer="Publicações mais recentes",
        older="Publicações mais antigas",
        pages="Páginas",
        nothing_yet="Ainda não há publicações.",
        not_yet="As publicações estão a caminho",
        come_back="Em breve aparecem aqui. Volte um pouco mais tarde.",
        for_owner="Este site é seu? Veja o que falta",
        no_such_page="Esta página não existe",
        to_posts="Ver as publicações",
        see="Ver no Instagram",
        opens="Abre no Instagram num novo separador",
        as_of="Última atualização: {date}",
        close="Fechar",
        previous="Publicação anterior",
        next="Publicação seguinte",
        turn_back="Imagem anterior",
        turn_on="Imagem seguinte",
        play="Reproduzir o vídeo",
        gone="Este vídeo já não pode ser reproduzido aqui.",
    ),
    "nl": Wording(
        title="{name} op Instagram",
        photo="Foto van @{name}",
        video="Video van @{name}",
        album="Album",
        moving="Video",
        reel="Reel",
        posts=("bericht", "berichten"),
        followers=("volger", "volgers"),
        follow="Volgen op Instagram",
        newer="Nieuwere berichten",
        older="Oudere berichten",
        pages="Pagina’s",
        nothing_yet="Nog geen berichten.",
        not_yet="De berichten zijn onderweg",
        come_back="Binnenkort zijn ze hier te zien. Kom later nog eens terug.",
        for_owner="Is dit uw website? Bekijk wat er ontbreekt",
        no_such_page="Deze pagina bestaat niet",
        to_posts="Bekijk de berichten",
        see="Bekijken op Instagram",
        opens="Opent op Instagram in een nieuw tabblad",
        as_of="Laatst bijgewerkt op {date}",
        close="Sluiten",
        previous="Vorig bericht",
        next="Volgend bericht",
        turn_back="Vorige afbeelding",
        turn_on="Volgende afbeelding",
        play="Video afspelen",
        gone="Deze video kan hier niet meer worden afgespeeld.",
    ),
}


def date(moment: datetime, language: str) -> str:
    """The day as the language writes it, for example ``3 May 2026``."""
    month = MONTHS[language].split()[moment.month - 1]
    return DATES.get(language, "{day} {month} {year}").format(day=moment.day, month=month, year=moment.year)
