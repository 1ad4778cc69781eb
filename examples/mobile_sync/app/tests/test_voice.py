"""Voice verifications."""

from django.test import Client

from tests.support import TenantCase
from voice_recognition.models import VoiceVerification


class VoiceTest(TenantCase):
    def report(self, **body):
        return Client().post("/api/v1/voice/verifications", body, content_type="application/json")

    def test_is_logged(self):
        accepted = [self.report(device="d1", confidence=value).json()["accepted"] for value in (0.84, 0.85)]
        self.assertEqual((accepted, VoiceVerification.objects.count()), ([False, True], 2))

    def test_what_is_wrong_is_told(self):
        for body in ({"device": "", "confidence": 1}, {"device": "d", "confidence": 2}, {"device": "d"}):
            with self.subTest(body):
                self.assertEqual(self.report(**body).status_code, 400)
