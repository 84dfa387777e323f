"""The pages of the shop, and their views."""

from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path

from IndexedRedis import IRJSONEncoder, QueryError

from .catalogue import Track


def shown(track: Track) -> dict[str, object]:
    """Return a track with its links, which were fetched with it."""
    return {
        **track.asDict(strKeys=True),
        'artist': track.artist.name,
        'genres': [genre.name for genre in track.genres or ()],
    }


def tracks(request: HttpRequest) -> JsonResponse:
    """List tracks by price: ``/tracks/?artist__name=Abba&price__lt=1``."""
    try:
        found = Track.objects.filter(**request.GET.dict()).orderBy('price')
        page = found.all(cascadeFetch=True)
    except (QueryError, ValueError) as error:
        return JsonResponse({'error': str(error)}, status=400)
    return JsonResponse({'tracks': [*map(shown, page)]}, encoder=IRJSONEncoder)


def track(request: HttpRequest, id: int) -> JsonResponse:
    """Show a track by its id in SQL."""
    found = Track.objects.filter(id=id).first(cascadeFetch=True)
    if found is None:
        raise Http404(f'There is no track {id}.')
    return JsonResponse(shown(found), encoder=IRJSONEncoder)


urlpatterns = [path('tracks/', tracks), path('tracks/<int:id>/', track)]
